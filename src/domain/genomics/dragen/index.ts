export { boxFailure, END_NAME, NO_PROGRAM, parseBoxEnd, type BoxEnd } from './box-end.js';
export {
  boxScript,
  fetchAndRun,
  joinedReads,
  plainName,
  stagingCommands,
  watchdog,
  type BoxObject,
  type BoxReads,
  type BoxSample,
  type BoxWork,
} from './box-script.js';
export { MACHINE_NAME, parseMachineFacts, type Intended, type MachineFacts } from './machine-facts.js';
export { dragenMachine, type DragenMachine } from './machine.js';
export { dragenMetrics, type DragenMetrics, type DragenMetricsFound, type MetricsFile } from './metrics.js';
export {
  BOX_NAMES,
  DEFAULT_DRAGEN_PROFILE,
  DRAGEN_PROFILES,
  dragenCommands,
  dragenProfile,
  type DragenProfile,
  type DragenSample,
} from './profiles.js';
