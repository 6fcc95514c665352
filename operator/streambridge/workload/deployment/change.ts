/** What a write changes in a Deployment. Pure. */
import type { Deployment } from '../../../kube/resources.ts'
import { secretsAnnotation } from '../../desired/labels.ts'
import type { WorkloadChange } from '../contract.ts'

const secretsOf = ({ spec }: Deployment): string | undefined => spec.template.metadata.annotations?.[secretsAnnotation]

const programOf = ({ spec }: Deployment): string =>
  JSON.stringify(spec.template.spec.containers.map(({ image, args }) => [image, args]))

export const changeOf = (before: Deployment, next: Deployment): WorkloadChange => ({
  secrets: secretsOf(before) !== secretsOf(next),
  program: programOf(before) !== programOf(next),
})
