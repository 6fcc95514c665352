// The Go SDK of Event Hubs as a judge of this project's emulator and connector: `judge COMMAND CONNECTION_STRING PARTITION [COUNT]`.
// Prints one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	eventhubs "github.com/Azure/azure-sdk-for-go/sdk/messaging/azeventhubs/v2"
)

// One attempt, so that an error is told at once.
var retry = eventhubs.RetryOptions{MaxRetries: -1}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	result, err := run(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		panic(err)
	}
}

func run(ctx context.Context, arguments []string) (any, error) {
	if len(arguments) < 3 {
		return nil, errors.New("judge COMMAND CONNECTION_STRING PARTITION [COUNT]")
	}
	command, connection, partition := arguments[0], arguments[1], arguments[2]
	if command == "consume" {
		count, err := strconv.Atoi(arguments[3])
		if err != nil {
			return nil, err
		}
		return consume(ctx, connection, partition, count)
	}
	producer, err := eventhubs.NewProducerClientFromConnectionString(connection, "", &eventhubs.ProducerClientOptions{RetryOptions: retry})
	if err != nil {
		return nil, err
	}
	defer producer.Close(ctx)
	switch command {
	case "describe":
		return describe(ctx, producer, partition)
	case "values":
		return nil, produce(ctx, producer, values(), &eventhubs.EventDataBatchOptions{PartitionID: &partition})
	case "keyed":
		// Without a partition: the key chooses it.
		message := &eventhubs.AMQPAnnotatedMessage{Body: eventhubs.AMQPAnnotatedMessageBody{Data: [][]byte{[]byte("keyed")}}}
		return nil, produce(ctx, producer, []*eventhubs.AMQPAnnotatedMessage{message}, &eventhubs.EventDataBatchOptions{PartitionKey: to.Ptr("a key")})
	case "refused":
		message := &eventhubs.AMQPAnnotatedMessage{Body: eventhubs.AMQPAnnotatedMessageBody{Data: [][]byte{[]byte("refused")}}}
		err := produce(ctx, producer, []*eventhubs.AMQPAnnotatedMessage{message}, &eventhubs.EventDataBatchOptions{PartitionID: &partition})
		if err == nil {
			return nil, errors.New("it was taken")
		}
		return err.Error(), nil
	}
	return nil, fmt.Errorf("no command %q", command)
}

func describe(ctx context.Context, producer *eventhubs.ProducerClient, partition string) (any, error) {
	hub, err := producer.GetEventHubProperties(ctx, nil)
	if err != nil {
		return nil, err
	}
	found, err := producer.GetPartitionProperties(ctx, partition, nil)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"name": hub.Name, "partitions": hub.PartitionIDs, "created": hub.CreatedOn.UnixMilli(),
		"begin": found.BeginningSequenceNumber, "last": found.LastEnqueuedSequenceNumber, "empty": found.IsEmpty,
	}, nil
}

func produce(ctx context.Context, producer *eventhubs.ProducerClient, messages []*eventhubs.AMQPAnnotatedMessage, options *eventhubs.EventDataBatchOptions) error {
	batch, err := producer.NewEventDataBatch(ctx, options)
	if err != nil {
		return err
	}
	for _, message := range messages {
		if err := batch.AddAMQPAnnotatedMessage(message, nil); err != nil {
			return err
		}
	}
	return producer.SendEventDataBatch(ctx, batch, nil)
}

// Bodies of every kind that the SDK writes; the same values as properties of one event.
func values() []*eventhubs.AMQPAnnotatedMessage {
	moment := time.UnixMilli(1_700_000_000_123).UTC()
	simple := map[string]any{
		"bool": true, "uint8": uint8(255), "uint16": uint16(65535), "uint32": uint32(math.MaxUint32), "uint64": uint64(math.MaxUint64),
		"int8": int8(-128), "int16": int16(-32768), "int32": int32(math.MinInt32), "int64": int64(9007199254740993), "int": -1,
		"float32": float32(1.5), "float64": 0.1, "nan": math.NaN(), "infinite": math.Inf(-1),
		"string": "é", "bytes": []byte{0, 255}, "time": moment, "null": nil,
	}
	bodies := []any{
		true, uint64(math.MaxUint64), int64(9007199254740993), math.NaN(), moment, "text", []byte{0, 255}, nil,
		map[string]any{"typecode": int32(117)},
		[]any{nil, true, int64(9007199254740993), "two", []byte{0, 255}, moment},
		[]int64{1, 300}, []string{"a", "b"}, []bool{true, false},
	}
	messages := []*eventhubs.AMQPAnnotatedMessage{{
		Body:                  eventhubs.AMQPAnnotatedMessageBody{Data: [][]byte{[]byte("properties")}},
		ApplicationProperties: simple,
	}}
	for _, body := range bodies {
		messages = append(messages, &eventhubs.AMQPAnnotatedMessage{Body: eventhubs.AMQPAnnotatedMessageBody{Value: body}})
	}
	return append(messages,
		&eventhubs.AMQPAnnotatedMessage{Body: eventhubs.AMQPAnnotatedMessageBody{Sequence: [][]any{{int64(1), "two"}, {[]any{int64(3)}}}}},
		&eventhubs.AMQPAnnotatedMessage{Body: eventhubs.AMQPAnnotatedMessageBody{Data: [][]byte{[]byte("one "), []byte("two")}}},
	)
}

func consume(ctx context.Context, connection, partition string, count int) (any, error) {
	consumer, err := eventhubs.NewConsumerClientFromConnectionString(connection, "", eventhubs.DefaultConsumerGroup, &eventhubs.ConsumerClientOptions{RetryOptions: retry})
	if err != nil {
		return nil, err
	}
	defer consumer.Close(ctx)
	reader, err := consumer.NewPartitionClient(partition, &eventhubs.PartitionClientOptions{
		StartPosition: eventhubs.StartPosition{Earliest: to.Ptr(true)},
	})
	if err != nil {
		return nil, err
	}
	defer reader.Close(ctx)
	events := []map[string]any{}
	for len(events) < count {
		received, err := reader.ReceiveEvents(ctx, count-len(events), nil)
		if err != nil {
			return nil, err
		}
		for _, event := range received {
			properties := map[string]string{}
			for name, value := range event.Properties {
				properties[name] = fmt.Sprint(value)
			}
			events = append(events, map[string]any{
				"number": event.SequenceNumber, "key": event.PartitionKey, "body": string(event.Body), "properties": properties,
			})
		}
	}
	return events, nil
}
