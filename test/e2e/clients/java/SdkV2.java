import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.net.URI;
import java.nio.file.Paths;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.S3Object;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;
import software.amazon.awssdk.transfer.s3.S3TransferManager;

/** The AWS SDK for Java 2.x: the blocking client, and the transfer manager on the asynchronous one for what is large. */
final class SdkV2 implements Commands {
    private final S3Client client;
    private final S3TransferManager transfers;
    private final S3Presigner presigner;
    private final String bucket;

    private SdkV2(JsonNode options) {
        URI endpoint = URI.create(options.path("endpoint").asText());
        Region region = Region.of(options.path("region").asText());
        boolean path = options.path("style").asText().equals("path");
        bucket = options.path("bucket").asText();
        client = S3Client.builder()
                .endpointOverride(endpoint)
                .region(region)
                .forcePathStyle(path)
                .overrideConfiguration(o -> o.retryStrategy(r -> r.maxAttempts(1)))
                .build();
        S3AsyncClient asynchronous = S3AsyncClient.builder()
                .endpointOverride(endpoint)
                .region(region)
                .forcePathStyle(path)
                .overrideConfiguration(o -> o.retryStrategy(r -> r.maxAttempts(1)))
                .multipartEnabled(true)
                .multipartConfiguration(m -> m.thresholdInBytes((long) PART_SIZE).minimumPartSizeInBytes((long) PART_SIZE))
                .build();
        transfers = S3TransferManager.builder().s3Client(asynchronous).build();
        presigner = S3Presigner.builder()
                .endpointOverride(endpoint)
                .region(region)
                .serviceConfiguration(S3Configuration.builder().pathStyleAccessEnabled(path).build())
                .build();
    }

    public static void main(String[] args) throws Exception {
        Commands.serve(new SdkV2(new ObjectMapper().readTree(args[0])));
    }

    @Override
    public void put(String name, String key) {
        File file = new File(name);
        if (file.length() > PART_SIZE) {
            transfers.uploadFile(u -> u.source(file).putObjectRequest(p -> p.bucket(bucket).key(key)))
                    .completionFuture()
                    .join();
        } else {
            client.putObject(p -> p.bucket(bucket).key(key), file.toPath());
        }
    }

    @Override
    public void get(String key, String file) {
        transfers.downloadFile(d -> d.destination(Paths.get(file)).getObjectRequest(g -> g.bucket(bucket).key(key)))
                .completionFuture()
                .join();
    }

    @Override
    public void remove(String key) {
        ObjectIdentifier object = ObjectIdentifier.builder().key(key).build();
        client.deleteObjects(d -> d.bucket(bucket).delete(o -> o.objects(object)));
    }

    @Override
    public List<String> list() {
        return client.listObjectsV2Paginator(l -> l.bucket(bucket).maxKeys(7)).contents().stream()
                .map(S3Object::key)
                .collect(Collectors.toList());
    }

    @Override
    public void copy(String from, String to) {
        transfers.copy(c -> c.copyObjectRequest(
                        o -> o.sourceBucket(bucket).sourceKey(from).destinationBucket(bucket).destinationKey(to)))
                .completionFuture()
                .join();
    }

    @Override
    public byte[] range(String key, long first, long last) {
        return client.getObjectAsBytes(g -> g.bucket(bucket).key(key).range("bytes=" + first + "-" + last))
                .asByteArray();
    }

    @Override
    public String presign(String key) {
        return presigner.presignGetObject(p -> p.signatureDuration(Duration.ofMinutes(10))
                        .getObjectRequest(g -> g.bucket(bucket).key(key)))
                .url()
                .toString();
    }
}
