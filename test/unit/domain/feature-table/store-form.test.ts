import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { storeName, storeNames } from '../../../../src/domain/feature-table/feature-names.js';
import type { FeatureType, GroupSchema } from '../../../../src/domain/feature-table/group-schema.js';
import {
  chooseForm,
  isStoreGroup,
  isStoreGroupOf,
  storeGroupBeginning,
  storeGroupName,
} from '../../../../src/domain/feature-table/store-form.js';

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');
const RULE = /^[a-zA-Z0-9]([_-]*[a-zA-Z0-9]){0,63}$/;

function schema(columns: number, type: FeatureType = 'Fractional'): GroupSchema {
  const features = Array.from({ length: columns }, (_, at) => `f${at}`);
  return {
    group: 'imaging',
    recordIdentifier: 'Case_ID',
    eventTimeName: 'timestamp',
    columns: [
      { name: 'Case_ID', from: 'Case_ID', type: 'String', role: 'id' },
      ...features.map((name) => ({ name, from: name, type, role: 'feature' as const })),
    ],
  };
}

describe('names in the store', () => {
  it.each(['Age (years)', '_x_', '%', 'é', 'a'.repeat(63) + '-b', 'ENSG1.2', '-', 'log-sigma-1-0-mm-3D_x'])(
    'are what the service takes: %s',
    (name) => {
      expect(storeName(name)).toMatch(RULE);
      expect(storeName(name).length).toBeLessThanOrEqual(64);
    },
  );

  it('are refused where the store has them for itself, in any case of letters', () => {
    for (const name of ['is_deleted', 'Write_Time', 'API invocation time']) {
      expect(() => storeNames(['Case_ID', name])).toThrow(expect.objectContaining({ code: 'FeatureNameReserved' }));
    }
  });

  it.each(['cohortflow', 'my study / 2026', 'p'.repeat(80), '-_-'])(
    'of groups are too, whatever the prefix: %s',
    (prefix) => {
      const name = storeGroupName(prefix, 'imaging_segments-part-4', digest('x'));
      expect(name).toMatch(RULE);
      expect(name.length).toBeLessThanOrEqual(64);
      expect(name).toContain(`imaging_segments-part-4-${digest('x').slice(0, 12)}`);
    },
  );
});

describe('whose a group of the store is', () => {
  const hex = digest('x');
  const TABLES = ['imaging', 'imaging_segments-part-4', 'genomics', 'clinical', 'imaging-pointer'];

  it.each(['cohortflow', 'nsclc trial', 'p'.repeat(80), '-_-', `${'p'.repeat(26)}-x`])(
    'is told of every name that is made, however the prefix is spelled or cut: %s',
    (prefix) => {
      for (const table of TABLES) {
        const name = storeGroupName(prefix, table, hex);
        expect(isStoreGroupOf(prefix, name)).toBe(true);
        expect(isStoreGroup(name)).toBe(true);
        expect(name.startsWith(storeGroupBeginning(prefix))).toBe(true);
      }
    },
  );

  it('is not told by how the name begins: other installations and other people have such names', () => {
    for (const other of ['cohortflow-test', 'cohortflow-imaging', 'cohortflow2', 'their-cohortflow', 'Cohortflow']) {
      for (const table of TABLES) expect(isStoreGroupOf('cohortflow', storeGroupName(other, table, hex))).toBe(false);
    }
    for (const other of ['cohortflow-imaging', 'cohortflow-imaging-v2', `cohortflow-theirs-${hex.slice(0, 12)}`]) {
      expect(isStoreGroupOf('cohortflow', other)).toBe(false);
      expect(isStoreGroup(other)).toBe(false);
    }
    expect(isStoreGroup(`-imaging-${hex.slice(0, 12)}`)).toBe(false);
    expect(isStoreGroup(`${'p'.repeat(50)}-imaging-${hex.slice(0, 12)}`)).toBe(false);
  });
});

describe('how a table lies in the store', () => {
  it('is one group up to 2,500 definitions, identifier and event time counted', () => {
    expect(chooseForm(schema(2_498), 'p', digest).form).toBe('whole');
    const two = chooseForm(schema(2_499), 'p', digest);
    expect(two.form).toBe('parts');
    expect(two.groups.map(({ definitions }) => definitions.length)).toEqual([2_500, 3]);
    expect(new Set(two.groups.map(({ name }) => name)).size).toBe(2);
  });

  it('is a pointer above four groups', () => {
    expect(chooseForm(schema(9_992), 'p', digest).form).toBe('parts');
    const { form, said, groups } = chooseForm(schema(9_993), 'p', digest);
    expect([form, groups.length]).toEqual(['pointer', 1]);
    expect(said).toMatch(/9993 columns in one Parquet file/);
    expect(groups[0]?.definitions.map(({ name }) => name)).toEqual([
      'Case_ID',
      'features_uri',
      'features_row',
      'timestamp',
    ]);
  });

  it('has another name for another schema, and the same for the same', () => {
    const name = (made: GroupSchema): string | undefined => chooseForm(made, 'p', digest).groups[0]?.name;
    expect(name(schema(3))).toBe(name(schema(3)));
    expect(new Set([name(schema(3)), name(schema(4)), name(schema(3, 'Integral'))]).size).toBe(3);
  });
});
