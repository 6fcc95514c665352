/** Every condition type and every reason the operator writes, with a sentence each: the docs are made from this list. */
export const conditionTypes = {
  Ready: 'Summary: records can flow now. Unknown until the runtime has reported.',
  ConfigValid: 'The spec makes sense beyond what the schema can check.',
  CredentialsResolved: 'Every Secret and key that the spec names exists.',
  SourceConnected: 'The runtime reaches the source and may read it.',
  SinkConnected: 'The runtime reaches the sink and may write it.',
  TransformReady: 'What the steps on the way need is there: schemas, tables, databases.',
  CheckpointHealthy: 'Positions are committed.',
  Available: 'The Deployment runs the present spec with all its replicas.',
  ScalingActive: 'The number of replicas follows scaling.mode. It never feeds Ready.',
  Reconciling: 'The operator is bringing about the present spec (kstatus).',
  Stalled: 'Nothing goes on until a person acts (kstatus).',
} as const

export type ConditionType = keyof typeof conditionTypes

export const conditionReasons = {
  Accepted: 'The spec was checked and is in use.',
  InvalidSpec: 'The spec does not make sense; the message names the field. What ran before keeps running.',
  NotAllowed:
    'The spec names an image or a ServiceAccount that this operator does not allow. What ran before keeps running.',
  NameConflict: 'An object of that name exists that belongs to something else; it is left alone.',
  Resolved: 'Everything named was found.',
  SecretNotFound: 'A Secret is missing. Pods start once it exists.',
  SecretKeyNotFound: 'A Secret lacks a key. Pods start once it has it.',
  SecretUnreadable: 'A Secret could not be read; the message says why. What ran before keeps running.',
  Connected: 'The connection works.',
  NotConnected: 'The connection does not work yet. Where the cause is known, it is the reason.',
  NotReported: 'No replica has reported yet, or the last report is too old.',
  Transforming: 'The steps on the way have what they need.',
  NoTransforms: 'Records pass as they are.',
  TransformNotReady: 'Something that a step needs is not there. Where the cause is known, it is the reason.',
  Committing: 'Positions are committed.',
  NothingToCommit: 'No record was read yet.',
  CommitFailing: 'The position cannot be committed; after a crash more is delivered again.',
  RolloutComplete: 'All replicas run the present spec.',
  RollingOut: 'Replicas are being replaced.',
  WriteRefused: 'The API server refused an object; the message says which and why.',
  Deleting: 'The StreamBridge is being deleted: its replicas drain and stop, then its objects are deleted.',
  ReplicasUnavailable: 'Fewer replicas are available than wanted.',
  CrashLoopBackOff: 'A replica ends again and again; the message has its last exit and what to do.',
  Flowing: 'Records can flow.',
  Completed: 'The source has ended, and all of its records are settled.',
  Idle: 'Scaled to zero with nothing to do.',
  NoReplicas: 'spec.replicas is 0: nothing runs.',
  Paused: 'lifecycle.desiredState is Paused.',
  StoppedAtRecord: 'A record can never be delivered; its partition waits for a person.',
  DataGap:
    'The source has dropped records that were not read yet, or a position is lost or of another stream; it waits for a person.',
  NoProgress:
    'Records are known to wait in a partition and none has moved for a minute (for 15 minutes in a subscription).',
  NoPartitions: 'The source says that it has no partition: nothing is read.',
  PartitionsUnread: 'A partition is read by no replica for a minute.',
  LagWithinTarget: 'The present replicas are enough.',
  LagAboveTarget: 'Replicas are being added.',
  LagBelowTarget: 'Replicas are being removed.',
  FixedReplicas: 'scaling.mode is Fixed.',
  ExternallyScaled: 'scaling.mode is External: spec.replicas decides.',
  MetricsUnavailable: 'A figure is missing; replicas are held.',
  LimitedByPartitions: 'More replicas would have no partition.',
  LimitedByMaxReplicas: 'maxReplicas is reached.',
  SinkBound: 'The sink is the limit; more replicas bring nothing.',
  Cooldown: 'The last change was too recent.',
  Stabilizing: 'The need has not held long enough.',
  ProbingForWork: 'One replica was started to look whether there is work.',
  Reconciled: 'The cluster is as the spec says.',
} as const

/** Reasons of Events beside those of conditions. */
export const eventReasons = {
  Created: 'The Deployment was made.',
  SecretsRotated: 'A referenced Secret has changed: replicas restart one by one.',
  Scaled: 'The number of replicas was changed; the message says why.',
  Resumed: 'lifecycle.desiredState is Running again.',
} as const
