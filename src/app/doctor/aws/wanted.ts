import type { AwsSettings } from '../../../config/aws-settings.js';
import type { GenomicsExecutor, ImagingExecutor } from '../../../contracts/remote-work.js';
import type { AwsAccount } from '../../../ports/aws-account.js';
import type { Files } from '../../../ports/files.js';

/** What someone means to do with an account. */
export interface Wanted {
  readonly imaging?: ImagingExecutor;
  readonly genomics?: GenomicsExecutor;
  /** Commands of which DRAGEN version; those of the settings when absent. */
  readonly dragenProfile?: string;
  readonly featureStore?: boolean;
  readonly athena?: boolean;
  /** Units at once that a run would have; 50. */
  readonly atOnce?: { readonly imaging?: number; readonly genomics?: number };
  /** Places of a run in S3, with the options that name them. */
  readonly places?: RunPlaces;
}

export interface RunPlaces {
  readonly output?: string;
  readonly inputs: readonly { readonly option: string; readonly uri: string }[];
}

/** What the checks of an account look at, and by what. */
export interface AwsSubject {
  readonly settings: AwsSettings;
  readonly wanted: Wanted;
  readonly account: AwsAccount;
  /** Objects of S3. */
  readonly objects: Pick<Files, 'stat' | 'list' | 'writeOnce' | 'remove'>;
  /** A name that nobody else uses, for objects that are put and removed again. */
  readonly probe: () => string;
}

/** Units at once of a run where nobody says otherwise. */
export const DEFAULT_AT_ONCE = 50;

/** What `run --profile aws` uses, and what else the settings speak of: for a look at all of an account. */
export function wantedByProfile({ dragen, athena }: AwsSettings): Wanted {
  return {
    imaging: 'sagemaker',
    ...(dragen === undefined ? {} : { genomics: 'dragen' }),
    featureStore: true,
    athena: athena !== undefined,
  };
}
