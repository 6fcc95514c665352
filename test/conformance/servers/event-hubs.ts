import { containersWanted } from '../../support/shared-servers.ts'
import { eventHubsContainers } from './event-hubs-containers.ts'
import { eventHubsProcesses } from './event-hubs-processes.ts'
import type { Namespaces } from './namespaces.ts'

export const namespaces: Namespaces = containersWanted() ? eventHubsContainers() : eventHubsProcesses()
