# Does with Amazon::S3 what a test asks for: one JSON array a line on stdin, one JSON object on stdout.
use strict;
use warnings;
use Amazon::S3;
use JSON::PP;

my $json    = JSON::PP->new->utf8->allow_nonref;
my $options = $json->decode( $ARGV[0] );
my ( $scheme, $host ) = $options->{endpoint} =~ m{^(https?)://(.*)$};
my $s3 = Amazon::S3->new(
  { aws_access_key_id     => $ENV{AWS_ACCESS_KEY_ID},
    aws_secret_access_key => $ENV{AWS_SECRET_ACCESS_KEY},
    host                  => $host,
    secure                => $scheme eq 'https',
    region                => $options->{region},
    dns_bucket_names      => 0,
    retry                 => 0,
  }
);
my $bucket = $s3->bucket( { bucket => $options->{bucket}, region => $options->{region} } );

sub bytes_of {
  my ($file) = @_;
  open my $in, '<:raw', $file or die "$file: $!";
  local $/ = undef;
  my $bytes = <$in>;
  return defined $bytes ? $bytes : q{};
}

sub must {
  my ($value) = @_;
  die $s3->err . ': ' . $s3->errstr if !$value;
  return 1;
}

my %commands = (
  put => sub {
    my ( $file, $key ) = @_;
    return must( $bucket->add_key( $key, q{} ) ) if -z $file;    # it does not take an empty file
    return must( $bucket->add_key_filename( $key, $file ) ) if -s $file <= 8 << 20;
    my $parts = $bucket->upload_multipart_object( key => $key, data => bytes_of($file), chunk_size => 8 << 20 );
    return must( %{$parts} );
  },
  get => sub {
    my ( $key, $file ) = @_;
    return must( $bucket->get_key_filename( $key, 'GET', $file ) );
  },
  remove => sub { return must( $bucket->delete_key( $_[0] ) ) },
  list   => sub {
    my $answer = $bucket->list_all or die $s3->errstr;
    return [ map { $_->{key} } @{ $answer->{keys} } ];
  },
  copy => sub {
    my ( $from, $to ) = @_;
    return must( $bucket->copy_object( key => $to, source => $from ) );
  },
);

local $| = 1;
while ( my $line = <STDIN> ) {
  my ( $command, @args ) = @{ $json->decode($line) };
  my $value = eval { $commands{$command}->(@args) };
  my $error = $@;
  print $json->encode( $error ? { error => "$error" } : { value => $value } ), "\n";
}
