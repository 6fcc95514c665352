/** Reasons that the engine, the Secrets and the leases give, whatever the connector. */
import type { ReasonList } from './list.ts'

export const engine = {
  Unknown: {
    meaning: 'An error that no connector knows. It is tried again.',
    advice: 'Read the message; if it lasts, report it with the log.',
  },
  DataGap: {
    meaning: 'The source has dropped records that were not read yet, or is not the stream that was read before.',
    advice:
      'Decide: `delivery.onDataGap: Continue` goes on behind the gap; a new `lifecycle.reset.token`, while the bridge is paused, begins at `startPosition`.',
  },
  UnreadableRecord: {
    meaning:
      'A record whose bytes are broken, or that is larger than the limit once it is decoded. It can never be read.',
    advice: 'Set `delivery.onFailure: DeadLetter` to set such records aside with their bytes.',
  },
  EncodingFault: {
    meaning:
      'The connector of the sink throws whenever it is given this one record: a fault of StreamBridge. It can never be delivered as it is.',
    advice: 'Report it with the log; set `delivery.onFailure: DeadLetter` to set such records aside.',
  },
  SecretKeyNotFound: {
    meaning: 'A mounted Secret lacks a key.',
    advice: 'Add the key to the Secret.',
  },
  Fenced: {
    meaning: 'Another replica owns the partition now; this one drops it. Passes by itself.',
    advice: 'Nothing.',
  },
  HeldBack: {
    meaning: 'A record waits because an earlier one of its key failed. Passes with that one.',
    advice: 'Look at the error of the earlier record.',
  },
  Aborted: {
    meaning: 'A write was given up because the replica stops. The records are read again.',
    advice: 'Nothing.',
  },
} as const satisfies ReasonList

export const leases = {
  LeaseStoreUnavailable: {
    meaning: 'The place where positions are kept does not answer. Records keep moving; no position is committed.',
    advice: 'Look at the API server, or at the directory of `--state`.',
  },
  HistoryUnreadable: {
    meaning:
      'What the bridge remembers of its source cannot be read, so nobody can say whether its positions still count.',
    advice: 'Restore the Lease that ends with `-history`; or delete it and set a new `lifecycle.reset.token`.',
  },
  LeaseStoreForbidden: {
    meaning: 'The bridge may not read or write its Leases.',
    advice: 'Let the operator manage the Role of the bridge, or grant it to `serviceAccountName`.',
  },
  LeaseLost: {
    meaning: 'This replica was away so long that its partitions went to others. It joins again by itself.',
    advice: 'If it repeats: give the pods more CPU, or raise `leaseDuration`.',
  },
  ReplicaNameTaken: {
    meaning: 'Another process runs under the name of this replica. This one reads nothing until the other is gone.',
    advice: 'End one of the two; beside a cluster, give each its own `--replica`.',
  },
  StreamReplaced: {
    meaning:
      'The stream was made again while it was read. The source looks at it at once, and says what follows as `DataGap`.',
    advice: 'As for `DataGap`.',
  },
} as const satisfies ReasonList
