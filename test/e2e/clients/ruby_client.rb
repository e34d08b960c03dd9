# Does with aws-sdk-s3 what a test asks for: one JSON array a line on stdin, one JSON object on stdout.
require "aws-sdk-s3"
require "json"

options = JSON.parse(ARGV.fetch(0))
bucket = options.fetch("bucket")
client = Aws::S3::Client.new(
  endpoint: options.fetch("endpoint"),
  region: options.fetch("region"),
  force_path_style: options.fetch("style") == "path",
  retry_limit: 0,
  **(options["ca"] ? { ssl_ca_bundle: options["ca"] } : {})
)
BUCKET = Aws::S3::Bucket.new(bucket, client: client)
# the threshold from which the SDK makes and fetches objects in parts
PARTS = { multipart_threshold: 8 << 20 }.freeze

def copy(from, to)
  source = BUCKET.object(from)
  large = source.content_length > PARTS[:multipart_threshold]
  source.copy_to(BUCKET.object(to), multipart_copy: large)
end

def run(command, *args)
  case command
  when "put" then BUCKET.object(args[1]).upload_file(args[0], **PARTS) && nil
  when "get" then BUCKET.object(args[0]).download_file(args[1], mode: "auto") && nil
  when "remove" then BUCKET.delete_objects(delete: { objects: [{ key: args[0] }] }).deleted.fetch(0).key
  when "list" then BUCKET.client.list_objects_v2(bucket: BUCKET.name, max_keys: 7).flat_map { |page| page.contents.map(&:key) }
  when "copy" then copy(*args) && nil
  when "move" then copy(*args) && BUCKET.object(args[0]).delete && nil
  when "range" then BUCKET.object(args[0]).get(range: "bytes=#{args[1]}-#{args[2]}").body.read.unpack1("H*")
  when "presign" then BUCKET.object(args[0]).presigned_url(:get, expires_in: 600)
  else raise "no command #{command}"
  end
end

$stdin.each_line do |line|
  answer =
    begin
      { value: run(*JSON.parse(line)) }
    rescue StandardError => e # the test wants to know of every one
      { error: "#{e.class}: #{e.message}" }
    end
  puts JSON.generate(answer)
  $stdout.flush
end
