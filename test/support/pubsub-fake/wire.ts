/** The methods of the service as gRPC carries them. */
import { protos } from '@google-cloud/pubsub'
import type { MethodDefinition } from '@grpc/grpc-js'

interface Codec {
  encode(message: object): { finish(): Uint8Array }
  decode(bytes: Uint8Array): object
  fromObject(message: object): object
}

const { v1 } = protos.google.pubsub
const { Empty } = protos.google.protobuf

const method = (
  path: string,
  request: unknown,
  response: unknown,
  streams = false,
): MethodDefinition<object, object> => {
  const [asked, answered] = [request as Codec, response as Codec]
  const write = (codec: Codec) => (message: object) => Buffer.from(codec.encode(codec.fromObject(message)).finish())
  return {
    path: `/google.pubsub.v1.${path}`,
    requestStream: streams,
    responseStream: streams,
    requestSerialize: write(asked),
    requestDeserialize: (bytes) => asked.decode(bytes),
    responseSerialize: write(answered),
    responseDeserialize: (bytes) => answered.decode(bytes),
  }
}

export const methods: Readonly<Record<string, MethodDefinition<object, object>>> = {
  getTopic: method('Publisher/GetTopic', v1.GetTopicRequest, v1.Topic),
  publish: method('Publisher/Publish', v1.PublishRequest, v1.PublishResponse),
  getSubscription: method('Subscriber/GetSubscription', v1.GetSubscriptionRequest, v1.Subscription),
  createSubscription: method('Subscriber/CreateSubscription', v1.Subscription, v1.Subscription),
  acknowledge: method('Subscriber/Acknowledge', v1.AcknowledgeRequest, Empty),
  modifyAckDeadline: method('Subscriber/ModifyAckDeadline', v1.ModifyAckDeadlineRequest, Empty),
  streamingPull: method('Subscriber/StreamingPull', v1.StreamingPullRequest, v1.StreamingPullResponse, true),
}
