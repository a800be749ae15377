/** Tables of features that runs make, and the middle of the names of their groups in the store. */
export const GROUPS = ['imaging', 'imaging_segments', 'genomics', 'clinical'] as const;

/** Types that SageMaker Feature Store knows. */
export type FeatureType = 'Integral' | 'Fractional' | 'String';

export interface GroupColumn {
  /** Name in the store. */
  readonly name: string;
  /** Name in the table that the rows were made from. */
  readonly from: string;
  readonly type: FeatureType;
  /** `id` tells rows apart (case, study, sample, segment, date); `feature` is measured. */
  readonly role: 'id' | 'feature';
  /** Its numbers are written as pandas writes floats, `12.0`; else in the shortest form. */
  readonly floats?: boolean;
}

/** What a feature group's rows consist of; stands beside them as `schema.json`. The columns the store adds are not in it. */
export interface GroupSchema {
  readonly group: string;
  readonly recordIdentifier: string;
  readonly eventTimeName: string;
  /** In the order of the table, the record identifier first, without the event time. */
  readonly columns: readonly GroupColumn[];
  /** Where not all genes of the matrix are columns: how many are, and that these were chosen, for people. */
  readonly panel?: { readonly genes: number; readonly of: number; readonly said: string };
}

/** Name of the file beside the rows. */
export const SCHEMA_FILE = 'schema.json';
