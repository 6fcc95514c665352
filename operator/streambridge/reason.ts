/** The reasons that the operator itself gives in a condition. */
import type { conditionReasons } from '../../crds/schema/conditions.ts'

export type Reason = keyof typeof conditionReasons
