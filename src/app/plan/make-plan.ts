import { unencryptedNote } from '../../adapters/aws/sagemaker/job-spec.js';
import type { AwsSettings } from '../../config/aws-settings.js';
import { dragenMachine } from '../../domain/genomics/dragen/index.js';
import {
  ASSUMPTIONS,
  ORIGINAL,
  dragenOnEc2,
  imagingHere,
  imagingOnSageMaker,
  imagingOnWorkers,
  originalMinutes,
  pricesOf,
  salmonHere,
  salmonOnWorkers,
  summarise,
  type Assumption,
  type AssumptionName,
  type DragenShape,
  type Estimate,
  type PriceTable,
  type ProcessingShape,
  type SizeSummary,
} from '../../domain/costs/index.js';
import type { CohortSizes } from './measure-cohort.js';

/** What decides a plan besides the sizes. */
export interface PlanChoice {
  /** Units at once, as for `run`. */
  readonly concurrency: { readonly imaging: number; readonly genomics: number };
  /** Heavy steps at once on this machine. */
  readonly jobs: number;
  readonly region: string;
  readonly settings: AwsSettings;
  /** Commands of which DRAGEN version; those of the settings when absent. */
  readonly dragenProfile?: string;
  /** Another table than the one that the product has. */
  readonly prices?: PriceTable;
}

/** A plan: sizes, estimates, and everything they rest on. */
export interface Plan {
  readonly sizes: {
    readonly imaging: SizeSummary;
    readonly genomics: SizeSummary;
    readonly unknown: number;
    /** Sizes that units of unknown size are planned with where no other of their kind is known. */
    readonly assumed?: NonNullable<CohortSizes['assumed']>;
  };
  readonly estimates: readonly Estimate[];
  readonly assumptions: Readonly<Partial<Record<AssumptionName, Assumption>>>;
  readonly prices: {
    readonly region: string;
    /** False when the Region asked for is not in the table and another stands in. */
    readonly ofRegion: boolean;
    readonly date: string;
    readonly source: string;
    /** True when every figure that the estimates were made with was looked up at its source. */
    readonly verified: boolean;
  };
  readonly original: typeof ORIGINAL & {
    /** Minutes of as many jobs of the original's length as there are studies here, at its width. */
    readonly minutesForTheseStudies: number;
  };
}

/** The settings of the processing jobs with their defaults, as far as they cost. */
export function processingShape(settings: AwsSettings): ProcessingShape {
  const { instanceTypes = ['ml.r5.large'], volumeGb = 5, pollSeconds = 30 } = settings.sagemaker ?? {};
  const note = unencryptedNote(settings);
  return { instanceTypes, volumeGb, pollSeconds, ...(note === undefined ? {} : { notes: [note] }) };
}

/** The settings of the DRAGEN machines with their defaults, as far as they cost. */
export function dragenShape(settings: AwsSettings, profile?: string): DragenShape {
  const { spot = false, instances, pollSeconds = 30 } = settings.dragen ?? {};
  const { instanceTypes, rootVolume: volume } = dragenMachine(settings, profile);
  return { instanceTypes, spot, volume, pollSeconds, ...(instances === undefined ? {} : { instances }) };
}

/** Hours and dollars of a cohort with each executor. Pure: equal sizes and choices give an equal plan. */
export function makePlan({ imaging, genomics, unknown, assumed }: CohortSizes, choice: PlanChoice): Plan {
  const { concurrency, jobs, region, settings } = choice;
  const chosen = choice.prices === undefined ? pricesOf(region) : pricesOf(region, choice.prices);
  const estimates: Estimate[] = [];
  if (imaging.length > 0) {
    estimates.push(
      imagingHere(imaging, jobs),
      imagingOnWorkers(imaging, concurrency.imaging, chosen),
      imagingOnSageMaker(imaging, concurrency.imaging, processingShape(settings), chosen),
    );
  }
  if (genomics.length > 0) {
    estimates.push(
      salmonHere(genomics, jobs),
      salmonOnWorkers(genomics, concurrency.genomics, chosen),
      dragenOnEc2(genomics, concurrency.genomics, dragenShape(settings, choice.dragenProfile), chosen),
    );
  }
  const used = [...new Set(estimates.flatMap(({ assumes }) => assumes))];
  return {
    sizes: {
      ...{ imaging: summarise(imaging), genomics: summarise(genomics.map(({ bytes }) => bytes)), unknown },
      ...(assumed === undefined ? {} : { assumed }),
    },
    estimates,
    assumptions: Object.fromEntries(used.map((name) => [name, ASSUMPTIONS[name]])),
    prices: {
      ...{ region: chosen.region, ofRegion: chosen.ofRegion, date: chosen.date, source: chosen.source },
      verified: estimates.flatMap(({ figures }) => figures).every((figure) => chosen.verified(figure)),
    },
    original: { ...ORIGINAL, minutesForTheseStudies: originalMinutes(imaging.length) },
  };
}
