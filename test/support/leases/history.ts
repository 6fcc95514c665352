import { History } from '../../../bridge-runtime/history/history.ts'
import type { LeaseStore } from '../../../bridge-runtime/lease-stores/lease-store.ts'

/** What a bridge remembers, in the store that its replicas share. */
export const historyOn = (
  store: LeaseStore,
  { onDataGap = 'Stop', reset }: { readonly onDataGap?: 'Stop' | 'Continue'; readonly reset?: string } = {},
): History => new History({ store, reset, onDataGap })

/** Of a source whose identity is no matter. */
export const unnamed = {
  name: 'a test',
  isMissing: () => false,
  identify: async () => ({ name: 'a test', birth: undefined }),
  begin: async () => 'Earliest',
}
