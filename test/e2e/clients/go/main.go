// Does with Go's aws-sdk v1 what a test asks for: one JSON array a line on stdin, one JSON object on stdout.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/s3"
	"github.com/aws/aws-sdk-go/service/s3/s3manager"
)

// what is larger goes in parts of this size
const partSize = 8 << 20

type options struct {
	Endpoint string
	Region   string
	Style    string
	Bucket   string
	// a file, or false
	CA any
}

type program struct {
	client     *s3.S3
	uploader   *s3manager.Uploader
	downloader *s3manager.Downloader
	bucket     *string
}

func newProgram(o options) (*program, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// every name leads to this machine
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}
	from := session.Options{Config: aws.Config{
		Endpoint:         aws.String(o.Endpoint),
		Region:           aws.String(o.Region),
		S3ForcePathStyle: aws.Bool(o.Style == "path"),
		MaxRetries:       aws.Int(0),
		// or `a//b` becomes `a/b`
		DisableRestProtocolURICleaning: aws.Bool(true),
		HTTPClient:                     &http.Client{Transport: transport},
	}}
	if file, ok := o.CA.(string); ok {
		bundle, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer bundle.Close()
		from.CustomCABundle = bundle
	}
	with, err := session.NewSessionWithOptions(from)
	if err != nil {
		return nil, err
	}
	client := s3.New(with)
	return &program{
		client:     client,
		uploader:   s3manager.NewUploaderWithClient(client, func(u *s3manager.Uploader) { u.PartSize = partSize }),
		downloader: s3manager.NewDownloaderWithClient(client, func(d *s3manager.Downloader) { d.PartSize = partSize }),
		bucket:     aws.String(o.Bucket),
	}, nil
}

func (p *program) put(file, key string) error {
	body, err := os.Open(file)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = p.uploader.Upload(&s3manager.UploadInput{Bucket: p.bucket, Key: &key, Body: body})
	return err
}

func (p *program) get(key, file string) error {
	to, err := os.Create(file)
	if err != nil {
		return err
	}
	defer to.Close()
	_, err = p.downloader.Download(to, &s3.GetObjectInput{Bucket: p.bucket, Key: &key})
	return err
}

func (p *program) remove(key string) error {
	return s3manager.NewBatchDeleteWithClient(p.client).Delete(aws.BackgroundContext(), &s3manager.DeleteObjectsIterator{
		Objects: []s3manager.BatchDeleteObject{{Object: &s3.DeleteObjectInput{Bucket: p.bucket, Key: &key}}},
	})
}

func (p *program) list() ([]string, error) {
	keys := []string{}
	// a page's end is the last object key: the SDK goes on from it by itself
	err := p.client.ListObjectsPages(&s3.ListObjectsInput{Bucket: p.bucket, MaxKeys: aws.Int64(7)},
		func(page *s3.ListObjectsOutput, _ bool) bool {
			for _, object := range page.Contents {
				keys = append(keys, *object.Key)
			}
			return true
		})
	return keys, err
}

// The SDK has no copy in parts of its own: large objects are copied with its calls, as its users write it.
func (p *program) copy(from, to string) error {
	source := aws.String(*p.bucket + "/" + strings.ReplaceAll(url.QueryEscape(from), "+", "%20"))
	head, err := p.client.HeadObject(&s3.HeadObjectInput{Bucket: p.bucket, Key: &from})
	if err != nil {
		return err
	}
	if *head.ContentLength <= partSize {
		_, err = p.client.CopyObject(&s3.CopyObjectInput{Bucket: p.bucket, Key: &to, CopySource: source})
		return err
	}
	upload, err := p.client.CreateMultipartUpload(&s3.CreateMultipartUploadInput{Bucket: p.bucket, Key: &to})
	if err != nil {
		return err
	}
	var parts []*s3.CompletedPart
	for first := int64(0); first < *head.ContentLength; first += partSize {
		last := min(first+partSize, *head.ContentLength) - 1
		number := aws.Int64(int64(len(parts) + 1))
		copied, err := p.client.UploadPartCopy(&s3.UploadPartCopyInput{
			Bucket:            p.bucket,
			Key:               &to,
			UploadId:          upload.UploadId,
			PartNumber:        number,
			CopySource:        source,
			CopySourceIfMatch: head.ETag,
			CopySourceRange:   aws.String(fmt.Sprintf("bytes=%d-%d", first, last)),
		})
		if err != nil {
			return err
		}
		parts = append(parts, &s3.CompletedPart{ETag: copied.CopyPartResult.ETag, PartNumber: number})
	}
	_, err = p.client.CompleteMultipartUpload(&s3.CompleteMultipartUploadInput{
		Bucket:          p.bucket,
		Key:             &to,
		UploadId:        upload.UploadId,
		MultipartUpload: &s3.CompletedMultipartUpload{Parts: parts},
	})
	return err
}

func (p *program) byteRange(key string, first, last int64) (string, error) {
	answer, err := p.client.GetObject(&s3.GetObjectInput{
		Bucket: p.bucket,
		Key:    &key,
		Range:  aws.String(fmt.Sprintf("bytes=%d-%d", first, last)),
	})
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	bytes, err := io.ReadAll(answer.Body)
	return hex.EncodeToString(bytes), err
}

func (p *program) presign(key string) (string, error) {
	request, _ := p.client.GetObjectRequest(&s3.GetObjectInput{Bucket: p.bucket, Key: &key})
	return request.Presign(10 * time.Minute)
}

func (p *program) run(line []byte) (any, error) {
	var words []any
	if err := json.Unmarshal(line, &words); err != nil {
		return nil, err
	}
	text := func(n int) string { return words[n].(string) }
	number := func(n int) int64 { return int64(words[n].(float64)) }
	switch text(0) {
	case "put":
		return nil, p.put(text(1), text(2))
	case "get":
		return nil, p.get(text(1), text(2))
	case "remove":
		return nil, p.remove(text(1))
	case "list":
		return p.list()
	case "copy":
		return nil, p.copy(text(1), text(2))
	case "move":
		if err := p.copy(text(1), text(2)); err != nil {
			return nil, err
		}
		_, err := p.client.DeleteObject(&s3.DeleteObjectInput{Bucket: p.bucket, Key: aws.String(text(1))})
		return nil, err
	case "range":
		return p.byteRange(text(1), number(2), number(3))
	case "presign":
		return p.presign(text(1))
	}
	return nil, fmt.Errorf("no command %s", text(0))
}

func main() {
	if os.Args[1] == "version" {
		fmt.Println(aws.SDKVersion)
		return
	}
	var o options
	if err := json.Unmarshal([]byte(os.Args[1]), &o); err != nil {
		panic(err)
	}
	p, err := newProgram(o)
	if err != nil {
		panic(err)
	}
	answers := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		value, err := p.run(lines.Bytes())
		if err != nil {
			_ = answers.Encode(map[string]any{"error": err.Error()})
		} else {
			_ = answers.Encode(map[string]any{"value": value})
		}
	}
}
