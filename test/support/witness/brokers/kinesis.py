"""boto3."""

import time

import boto3


def _client(endpoint):
    return boto3.client(
        "kinesis",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test-access-key",
        aws_secret_access_key="test-secret-key",
    )


def produce(endpoint, stream, records):
    client = _client(endpoint)
    for begin in range(0, len(records), 500):
        entries = [{"PartitionKey": record.key, "Data": record.value} for record in records[begin : begin + 500]]
        refused = client.put_records(StreamName=stream, Records=entries)["FailedRecordCount"]
        if refused:
            raise SystemExit(f"{refused} records were refused")


def read(endpoint, stream, arrived, _journal):
    client = _client(endpoint)
    iterators = {}

    def finished(shard):
        return shard is None or (shard in iterators and iterators[shard] is None)

    def reading():
        some = False
        for shard in client.list_shards(StreamName=stream)["Shards"]:
            name = shard["ShardId"]
            # A child's records come behind those of its parents.
            if not finished(shard.get("ParentShardId")) or not finished(shard.get("AdjacentParentShardId")):
                continue
            if name not in iterators:
                first = client.get_shard_iterator(StreamName=stream, ShardId=name, ShardIteratorType="TRIM_HORIZON")
                iterators[name] = first["ShardIterator"]
            while iterators[name] is not None:
                page = client.get_records(ShardIterator=iterators[name])
                iterators[name] = page.get("NextShardIterator")
                for record in page["Records"]:
                    arrived(record["PartitionKey"], record["Data"])
                if not page["Records"]:
                    break
                some = True
        if not some:
            time.sleep(0.1)
        return some

    return reading
