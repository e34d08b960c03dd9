import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a test asks an SDK for: one JSON array a line on stdin, one JSON object on stdout. */
interface Commands {
    /** What is larger goes in parts of this size. */
    int PART_SIZE = 8 << 20;

    void put(String file, String key) throws Exception;

    void get(String key, String file) throws Exception;

    void remove(String key) throws Exception;

    List<String> list() throws Exception;

    void copy(String from, String to) throws Exception;

    byte[] range(String key, long first, long last) throws Exception;

    String presign(String key) throws Exception;

    static void serve(Commands commands) throws Exception {
        ObjectMapper json = new ObjectMapper();
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Map<String, Object> answer = new HashMap<>();
            try {
                answer.put("value", run(commands, json.readTree(line)));
            } catch (Throwable error) { // the test wants to know of every one
                answer.put("error", said(error));
            }
            out.println(json.writeValueAsString(answer));
        }
        // the SDKs' threads do not end by themselves
        System.exit(0);
    }

    static Object run(Commands commands, JsonNode line) throws Exception {
        String first = line.path(1).asText();
        String second = line.path(2).asText();
        switch (line.path(0).asText()) {
            case "put":
                commands.put(first, second);
                return null;
            case "get":
                commands.get(first, second);
                return null;
            case "remove":
                commands.remove(first);
                return null;
            case "list":
                return commands.list();
            case "copy":
                commands.copy(first, second);
                return null;
            case "move":
                commands.copy(first, second);
                commands.remove(first);
                return null;
            case "range":
                return hex(commands.range(first, line.path(2).asLong(), line.path(3).asLong()));
            case "presign":
                return commands.presign(first);
            default:
                throw new IllegalArgumentException("no command " + line);
        }
    }

    static String said(Throwable error) {
        return error + (error.getCause() == null ? "" : "; " + said(error.getCause()));
    }

    static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte b : bytes) {
            text.append(String.format("%02x", b));
        }
        return text.toString();
    }
}
