import type { FeatureActivities } from './feature-ingest.js';
import type { RemoteActivities } from './remote-work.js';
import type { SweepActivities } from './sweep.js';

/** All activities on the queue of services: they wait for others, and cost this machine next to nothing. */
export interface ServiceActivities extends RemoteActivities, FeatureActivities, SweepActivities {}
