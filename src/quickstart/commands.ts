import { BUCKET, CLIENT_ACCESS_KEY_ID, type QuickstartFolder, type QuickstartPorts, REGION } from './folder.js'

/** Commands that work as they are printed, in the folder in which the quickstart was started. No secret is in them. */
export function pasteable(folder: QuickstartFolder, ports: QuickstartPorts): string {
  const endpoint = `https://localhost:${ports.proxy}`
  const secret = `$(cat ${folder.clientSecretFile})`
  return `curl
  curl --cacert ${folder.ca} --aws-sigv4 aws:amz:${REGION}:s3 --user "${CLIENT_ACCESS_KEY_ID}:${secret}" \\
    -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' -T README.md ${endpoint}/${BUCKET}/README.md
  curl --cacert ${folder.ca} --aws-sigv4 aws:amz:${REGION}:s3 --user "${CLIENT_ACCESS_KEY_ID}:${secret}" \\
    -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' ${endpoint}/${BUCKET}/README.md

AWS CLI
  export AWS_ACCESS_KEY_ID=${CLIENT_ACCESS_KEY_ID} AWS_SECRET_ACCESS_KEY="${secret}" AWS_DEFAULT_REGION=${REGION}
  aws --ca-bundle ${folder.ca} --endpoint-url ${endpoint} s3 cp README.md s3://${BUCKET}/by-aws-cli
  aws --ca-bundle ${folder.ca} --endpoint-url ${endpoint} s3 ls s3://${BUCKET}/

rclone
  export RCLONE_S3_PROVIDER=Other RCLONE_S3_ENDPOINT=${endpoint} RCLONE_S3_REGION=${REGION}
  export RCLONE_S3_ACCESS_KEY_ID=${CLIENT_ACCESS_KEY_ID} RCLONE_S3_SECRET_ACCESS_KEY="${secret}"
  env -u AWS_CA_BUNDLE rclone --ca-cert ${folder.ca} copy README.md :s3:${BUCKET}/by-rclone
  env -u AWS_CA_BUNDLE rclone --ca-cert ${folder.ca} cat :s3:${BUCKET}/by-rclone/README.md

The key of one object, without the proxy
  npx ssec-proxy keys headers s3://${BUCKET}/README.md --config ${folder.config}
`
}
