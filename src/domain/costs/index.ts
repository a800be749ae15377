export { ASSUMPTIONS, dragenBytes, GB, MB, type Assumption, type AssumptionName } from './assumptions.js';
export { totalOf, type CostLine, type Estimate, type QuotaNeed } from './estimate.js';
export { dragenOnEc2, salmonHere, salmonOnWorkers, type DragenShape, type SampleSize } from './genomics-estimates.js';
export { imagingHere, imagingOnSageMaker, imagingOnWorkers, type ProcessingShape } from './imaging-estimates.js';
export { localDiskGb, vcpusOf } from './instance-types.js';
export { makespan } from './makespan.js';
export { ORIGINAL, originalMinutes } from './original.js';
export { paidName, paidNamed } from './paid-name.js';
export { pricesOf, type ChosenPrices, type PriceTable, type RegionPrices } from './prices.js';
export {
  costBasis,
  costLines,
  costText,
  runCosts,
  sumByKind,
  totalText,
  type CostOfMachines,
  type PaidMachine,
  type PaidMachines,
  type RunCosts,
} from './run-costs.js';
export { expectedSizes, summarise, type SizeSummary } from './sizes.js';
