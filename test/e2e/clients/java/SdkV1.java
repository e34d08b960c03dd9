import com.amazonaws.ClientConfiguration;
import com.amazonaws.auth.EnvironmentVariableCredentialsProvider;
import com.amazonaws.services.s3.AmazonS3Client;
import com.amazonaws.services.s3.S3ClientOptions;
import com.amazonaws.services.s3.model.DeleteObjectsRequest;
import com.amazonaws.services.s3.model.GetObjectRequest;
import com.amazonaws.services.s3.model.ListObjectsRequest;
import com.amazonaws.services.s3.model.ObjectListing;
import com.amazonaws.services.s3.model.ObjectMetadata;
import com.amazonaws.services.s3.model.S3Object;
import com.amazonaws.services.s3.model.S3ObjectSummary;
import com.amazonaws.services.s3.transfer.TransferManager;
import com.amazonaws.services.s3.transfer.TransferManagerConfiguration;
import com.amazonaws.util.IOUtils;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;

/**
 * The AWS SDK for Java 1.x, as programs of its first years call it. Its comparisons of ETag and MD5, after a PUT, a part and a
 * GET, are as they come: on.
 */
@SuppressWarnings("deprecation")
final class SdkV1 implements Commands {
    private final AmazonS3Client client;
    private final TransferManager transfers;
    private final String bucket;

    private SdkV1(JsonNode options) {
        ClientConfiguration configuration = new ClientConfiguration().withMaxErrorRetry(0);
        if (options.path("signature").asText().equals("v2")) {
            configuration.setSignerOverride("S3SignerType");
        }
        client = new AmazonS3Client(new EnvironmentVariableCredentialsProvider(), configuration);
        client.setEndpoint(options.path("endpoint").asText());
        client.setSignerRegionOverride(options.path("region").asText());
        boolean path = options.path("style").asText().equals("path");
        client.setS3ClientOptions(S3ClientOptions.builder().setPathStyleAccess(path).build());
        bucket = options.path("bucket").asText();
        TransferManagerConfiguration parts = new TransferManagerConfiguration();
        parts.setMultipartUploadThreshold(PART_SIZE);
        parts.setMinimumUploadPartSize(PART_SIZE);
        parts.setMultipartCopyThreshold(PART_SIZE);
        parts.setMultipartCopyPartSize(PART_SIZE);
        transfers = new TransferManager(client);
        transfers.setConfiguration(parts);
    }

    public static void main(String[] args) throws Exception {
        Commands.serve(new SdkV1(new ObjectMapper().readTree(args[0])));
    }

    /** Files and streams are not checked alike: with a file the SDK knows the MD5 before it sends. */
    @Override
    public void put(String name, String key) throws Exception {
        File file = new File(name);
        if (file.length() > PART_SIZE) {
            transfers.upload(bucket, key, file).waitForCompletion();
            return;
        }
        client.putObject(bucket, key, file);
        ObjectMetadata metadata = new ObjectMetadata();
        metadata.setContentLength(file.length());
        try (InputStream body = new FileInputStream(file)) {
            client.putObject(bucket, key, body, metadata);
        }
    }

    @Override
    public void get(String key, String file) throws Exception {
        transfers.download(bucket, key, new File(file)).waitForCompletion();
    }

    @Override
    public void remove(String key) {
        client.deleteObjects(new DeleteObjectsRequest(bucket).withKeys(key));
    }

    @Override
    public List<String> list() {
        List<String> keys = new ArrayList<>();
        ObjectListing page = client.listObjects(new ListObjectsRequest().withBucketName(bucket).withMaxKeys(7));
        while (true) {
            for (S3ObjectSummary object : page.getObjectSummaries()) {
                keys.add(object.getKey());
            }
            if (!page.isTruncated()) {
                return keys;
            }
            page = client.listNextBatchOfObjects(page);
        }
    }

    @Override
    public void copy(String from, String to) throws Exception {
        transfers.copy(bucket, from, bucket, to).waitForCompletion();
    }

    @Override
    public byte[] range(String key, long first, long last) throws Exception {
        GetObjectRequest request = new GetObjectRequest(bucket, key);
        request.setRange(first, last);
        try (S3Object object = client.getObject(request)) {
            return IOUtils.toByteArray(object.getObjectContent());
        }
    }

    @Override
    public String presign(String key) {
        Date end = new Date(System.currentTimeMillis() + 600_000);
        return client.generatePresignedUrl(bucket, key, end).toString();
    }
}
