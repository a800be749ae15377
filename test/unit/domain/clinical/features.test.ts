import { describe, expect, it } from 'vitest';
import {
  applyEncoding,
  BUILT_IN_SPECS,
  clinicalFeatures,
  readClinicalTable,
  readSpec,
  type ClinicalResult,
} from '../../../../src/domain/clinical/index.js';
import { CohortflowError } from '../../../../src/domain/errors.js';

function make(lines: readonly string[], spec?: unknown): ClinicalResult {
  return clinicalFeatures(readClinicalTable(`${lines.join('\n')}\n`), spec);
}

function failure(work: () => unknown): CohortflowError {
  try {
    work();
  } catch (error) {
    if (error instanceof CohortflowError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

function csv({ features }: Pick<ClinicalResult, 'features'>): string[] {
  return [features.columns, ...features.rows].map((row) => row.join(','));
}

describe('a specification of one’s own', () => {
  const lines = [
    'Patient ID,Sex,Age,Stage,Note,Outcome',
    'P1,male,61,T1,x,dead',
    'P2,Female,not done,T2,y,ALIVE',
    'P3,female,70,unknown,z,Dead',
    'P4,male,55,T3,w,',
    'Q5,male,50,T9,v,dead',
  ];
  const spec = {
    id: ['Case ID', 'Patient ID'],
    keepRows: [{ column: '$id', contains: 'P' }],
    missing: ['unknown', 'not done'],
    oneHot: ['Stage'],
    numeric: ['Age'],
    target: { column: 'Outcome', codes: { Dead: 1, Alive: 0 } },
  };

  it('makes one row per case: categories, id, numbers, target', () => {
    const result = make(lines, spec);
    expect(csv(result)).toEqual([
      'Stage_T1,Stage_T2,Stage_T3,Case_ID,Age,Outcome',
      '1,0,0,P1,61.0,1',
      '0,1,0,P2,0.0,0',
      '0,0,0,P3,70.0,1',
    ]);
  });

  it('tells every dropped row with its reason', () => {
    expect(make(lines, spec).dropped).toEqual([
      { caseId: 'P4', row: 5, reason: 'Outcome (the target) is missing' },
      { caseId: 'Q5', row: 6, reason: 'not kept: no Patient ID contains "P"' },
    ]);
  });

  it('says which columns make no feature, and why', () => {
    const { encoding, warnings } = make(lines, { ...spec, dropColumns: ['Note'] });
    expect(encoding.left).toEqual([
      { column: 'Sex', why: 'the specification does not name it' },
      { column: 'Note', why: 'the specification drops it' },
    ]);
    expect(warnings).toEqual(['no features of Sex: the specification does not name it']);
  });

  it.each([
    ['mean', '62.0'],
    ['median', '61.0'],
    [-1, '-1.0'],
    [2.5, '2.5'],
    [null, ''],
  ])('fills a missing number with %s', (fill, expected) => {
    const result = make(lines, { ...spec, fill });
    const at = result.features.columns.indexOf('Age');
    expect(result.features.rows[1]?.[at]).toBe(expected);
  });

  it('types the other columns by their values when asked to', () => {
    const { features } = make(lines, { ...spec, otherColumns: 'infer' });
    expect(features.columns.slice(3)).toEqual(['Sex_Female', 'Sex_female_2', 'Sex_male', 'Case_ID', 'Age', 'Outcome']);
  });

  it('keeps rows without the target when it says so', () => {
    const target = { ...spec.target, missing: 'keep' };
    expect(csv(make(lines, { ...spec, target })).at(-1)).toBe('0,0,1,P4,55.0,');
  });

  it('drops by each kind of condition', () => {
    const rules = [
      [{ column: 'Sex', equals: 'MALE' }, ['P1', 'P4']],
      [{ column: 'Stage', oneOf: ['t1', 't2'] }, ['P1', 'P2']],
      [{ column: 'Age', matches: '^[67]' }, ['P1', 'P3']],
      [{ column: 'Age', missing: true }, ['P2']],
      [{ column: 'Sex', contains: 'fem', missing: false }, ['P2', 'P3']],
    ] as const;
    for (const [rule, expected] of rules) {
      const target = { ...spec.target, missing: 'keep' };
      const { dropped } = make(lines, { ...spec, target, dropRows: [rule] });
      expect(dropped.map(({ caseId }) => caseId).filter((id) => id !== 'Q5')).toEqual(expected);
    }
  });

  it('warns of infinite numbers, which only a specification lets in', () => {
    const { features, warnings } = make(['id,x,y', 'a,inf,1', 'b,2,1'], { numeric: ['x', 'y'] });
    expect(features.rows[0]).toEqual(['a', 'inf', '1']);
    expect(warnings).toEqual([expect.stringMatching(/^infinite numbers in x: /)]);
  });

  it('gives the numbers of each code to the target', () => {
    const { features } = make(['id,stage', 'a,low', 'b,high', 'c,mid'], {
      target: { column: 'stage', codes: { low: 1, mid: 2, high: 3.5 } },
    });
    expect(features.rows.map((row) => row.at(-1))).toEqual(['1', '3.5', '2']);
  });
});

describe('names of features', () => {
  it('are cut, cleaned and kept apart, whatever the values are', () => {
    const name = 'a very long column name (with a comment), and a good many more than sixty-four characters';
    const { features } = make(['id,grade,"' + name + '",size', 'A,>5,x,1.5', 'B,<5,x,2', 'C,é,x,3'], {
      oneHot: ['grade', name],
      numeric: ['size'],
    });
    expect(features.columns).toEqual([
      'grade_5',
      'grade_5_2',
      'grade__',
      'averylongcolumnnamewithacommentandagoodmanymorethansixtyfour',
      'Case_ID',
      'size',
    ]);
  });
});

describe('a table without a specification', () => {
  it('is typed by its values; dates, free text and identifying columns make no feature', () => {
    const rows = Array.from({ length: 40 }, (_, n) => [
      `C${n}`,
      `Name ${n}`,
      40 + n,
      n % 2 ? 'f' : 'm',
      `2020-01-${String((n % 28) + 1).padStart(2, '0')}`,
      `text ${n}`,
      'NA',
      n % 5,
    ]);
    const header = 'patient_id,Patient name,age,sex,visit,remark,empty,score';
    const result = make([header, ...rows.map((row) => row.join(','))]);
    expect(result.spec).toBe('inferred');
    expect(result.features.columns).toEqual(['sex_f', 'sex_m', 'Case_ID', 'age', 'score']);
    expect(result.encoding.left.map(({ column }) => column)).toEqual(['Patient name', 'visit', 'remark', 'empty']);
    expect(result.features.rows).toHaveLength(40);
    expect(result.dropped).toEqual([]);
  });

  it.each<[string, readonly string[], string]>([
    ['dates beside other texts', ['2020-02-11', 'ongoing', '2020-02-11', 'ongoing'], 'it holds dates'],
    ['dates in words', ['Jan 5, 2020', '7 March 2021', 'Jan 5, 2020', '7. Mar 2021'], 'it holds dates'],
    ['decimal commas', ['12,5', '13', '12,5', '14,25'], 'its numbers have decimal commas or separated thousands'],
    ['separated thousands', ['1,200', '950', '1,200', '1,300.5'], 'its numbers have decimal commas'],
    [
      'a word among numbers',
      Array.from({ length: 14 }, (_, n) => (n % 7 ? `${40 + n}` : 'unknown')),
      '2 of its 14 valu',
    ],
  ])('makes no feature of %s, and says why', (_, values, why) => {
    const { features, encoding, warnings } = make([
      'id;x;y',
      ...[...values, ...values].map((value, n) => `A${n};${value};${n}`),
    ]);
    expect(features.columns).toEqual(['Case_ID', 'y']);
    expect(encoding.left[0]?.why).toContain(why.replace('2 of its 14', '4 of its 28'));
    expect(warnings[0]).toContain('no features of x: ');
  });

  it.each(['Patient ID', 'MRN', 'HospitalNo', 'PatientName', 'BirthDate', 'NHS number', 'StudyInstanceUID', 'ZipCode'])(
    'makes no feature of a column that identifies a person by its name: %s',
    (name) => {
      const { features, encoding } = make([`case_id,${name},age`, 'A,7700123,61', 'B,7700456,70']);
      expect(features.columns).toEqual(['Case_ID', 'age']);
      expect(encoding.left[0]?.why).toContain('identifies a person');
    },
  );

  it('still makes features of columns whose names only sound like that', () => {
    const { features } = make(['case_id,recordings,uid_count,namesake,number', 'A,1,2,3,4', 'B,2,3,4,5']);
    expect(features.columns).toEqual(['Case_ID', 'recordings', 'uid_count', 'namesake', 'number']);
  });

  it('still makes categories of words that only look like a month, and of a few numbers among words', () => {
    const { features } = make(['id,x,y', 'A,Marker 12,1', 'B,Decreased 50,2', 'C,Marker 12,X', 'D,Decreased 50,1']);
    expect(features.columns).toEqual(['x_Decreased50', 'x_Marker12', 'y_1', 'y_2', 'y_X', 'Case_ID']);
  });

  it('takes ten thousand columns without comparing each with each', () => {
    const names = Array.from({ length: 10_000 }, (_, n) => `gene ${n}`);
    const row = (id: number): string => [`A${id}`, ...names.map((_, n) => (id * n) % 7), id % 2].join(',');
    const lines = [['id', ...names, 'dead'].join(','), ...Array.from({ length: 20 }, (_, id) => row(id))];
    const { features, leakage } = make(lines, { target: 'dead', otherColumns: 'infer' });
    expect(features.columns).toHaveLength(10_002);
    expect(leakage.columns).toHaveLength(10_000);
  });

  it('warns of many columns in few words', () => {
    const names = Array.from({ length: 300 }, (_, n) => `column ${n}`);
    const row = (id: number): string => [`A${id}`, ...names.map((_, n) => (id > n ? 'text' : `w${id}`))].join(',');
    const { warnings } = make([['id', ...names].join(','), ...Array.from({ length: 60 }, (_, id) => row(id))]);
    expect(warnings.length).toBeLessThan(7);
    expect(warnings.at(-1)).toMatch(/no features of \d+ more columns/);
    expect(warnings.join().length).toBeLessThan(1_500);
  });

  it.each(['case_id', 'Case ID', 'CaseID', 'Patient ID', 'patient-id', 'subject_id', 'ID', 'bcr_patient_barcode'])(
    'finds its id column named %s',
    (name) => {
      expect(make([`age,${name}`, '3,A', '4,B']).features.rows.map(([id]) => id)).toEqual(['A', 'B']);
    },
  );
});

describe('failures', () => {
  const codes = { dead: 1, alive: 0 };
  it.each<[string, string, readonly string[], unknown, RegExp]>([
    ['no id column', 'ClinicalIdColumnMissing', ['age,sex', '3,f'], undefined, /found: age, sex/],
    ['no id column of the spec', 'ClinicalIdColumnMissing', ['id,sex', 'a,f'], { id: 'MRN' }, /\(MRN\)/],
    ['an id twice', 'DuplicateClinicalId', ['id,x', 'a,1', 'b,2', 'A,3'], undefined, /rows 2 and 4/],
    ['an id of other characters', 'InvalidClinicalId', ['id,x', 'Jo Doe,1', ',2'], undefined, /rows 2, 3/],
    ['an empty file', 'InvalidClinicalTable', [''], undefined, /empty/],
    ['a header only', 'InvalidClinicalTable', ['id,x'], undefined, /no rows/],
    ['ragged rows', 'InvalidClinicalTable', ['id,x', 'a', 'b,1', 'c,1,2'], undefined, /rows 2, 4/],
    ['a column twice', 'InvalidClinicalTable', ['id,x,X ', 'a,1,2'], undefined, /`X` twice/],
    ['an open quotation mark', 'InvalidClinicalTable', ['id,x', 'a,"1', 'b,2'], undefined, /row 2/],
    ['a column of the spec', 'ClinicalColumnMissing', ['id,x', 'a,1'], { numeric: ['x', 'y'] }, /`y`/],
    [
      'a column of a rule',
      'ClinicalColumnMissing',
      ['id,x', 'a,1'],
      { dropRows: [{ column: 'w', equals: 'q' }] },
      /`w`/,
    ],
    [
      'a target value without a code',
      'UnknownTargetValue',
      ['id,t', 'a,dead', 'b,lost'],
      { target: { column: 't', codes } },
      /row 3/,
    ],
    [
      'text among numbers',
      'ClinicalValueNotNumeric',
      ['id,x', 'a,1', 'b,secret', 'c,3'],
      { numeric: ['x'] },
      /`x`.*row 3/,
    ],
    [
      'a decimal comma',
      'ClinicalValueNotNumeric',
      ['id;x', 'a;1,5', 'b;2'],
      { numeric: ['x'] },
      /row 2: decimal commas.*1234\.5/,
    ],
    [
      'a target with decimal commas',
      'UnknownTargetValue',
      ['id;x', 'a;1,5', 'b;2'],
      { target: 'x' },
      /row 2: decimal commas.*1234\.5/,
    ],
    ['no row left', 'NoClinicalRows', ['id,x', 'a,1'], { dropRows: [{ column: 'x', equals: '1' }] }, /none of 1 rows/],
    [
      'an unnamed column, refused',
      'InvalidClinicalSpec',
      ['id,x,y', 'a,1,2'],
      { numeric: ['x'], otherColumns: 'refuse' },
      /`y`/,
    ],
    ['the id as a feature', 'InvalidClinicalSpec', ['id,x', 'a,1'], { oneHot: ['id'] }, /id column/],
    ['an unknown name', 'InvalidClinicalSpec', ['id,x', 'a,1'], 'nsclc', /nsclc-radiogenomics-notebook/],
  ])('%s: %s', (_, code, lines, spec, pattern) => {
    const error = failure(() => make(lines, spec));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(pattern);
    // Values of the table are never repeated.
    expect(error.message).not.toMatch(/secret|lost|Doe/);
  });

  it('shows nothing of a first row that is no header', () => {
    const { code, message, details } = failure(() => make(['Doe,61,2020-01-02', 'Roe,70,2020-01-03']));
    expect(code).toBe('ClinicalIdColumnMissing');
    expect(message).toContain('does not look like a header');
    expect(message + JSON.stringify(details)).not.toMatch(/Doe|61|2020/);
  });

  it('takes a row index without a name as if it were not there', () => {
    expect(make([',id,x', '0,a,1', '1,b,2']).features.columns).toEqual(['Case_ID', 'x']);
  });
});

describe('readSpec', () => {
  it('tells everything that is wrong, with its place', () => {
    const error = failure(() =>
      readSpec({
        one_hot: ['a'],
        numeric: 'b',
        dropRows: [{ column: 'x' }, { equals: 'y' }, { column: 'x', matches: '(' }],
        target: { codes: { a: 'one' }, missing: 'perhaps' },
        fill: 'zero',
        names: { limit: 10, cutTo: 20 },
        colour: 'red',
      }),
    );
    expect(error.code).toBe('InvalidClinicalSpec');
    expect(error.details['faults']).toEqual([
      'one_hot: unknown; write oneHot',
      expect.stringMatching(/^colour: unknown; known: version, name, id/) as string,
      'numeric: must be a list of texts',
      'target.column: is needed',
      'target.codes.a: must be a number',
      'target.missing: must be one of drop, fill, keep',
      'dropRows[0]: needs a condition: one of equals, oneOf, contains, matches, missing',
      'dropRows[1].column: is needed (a column name, or $id)',
      'dropRows[2].matches: is not a regular expression',
      'fill: must be a number, mean, median or null',
      'names.cutTo: must not be above names.limit',
    ]);
  });

  it('refuses a column that is named twice', () => {
    expect(failure(() => readSpec({ oneHot: ['a'], dropColumns: ['A '] })).message).toContain(
      '`a` is named under dropColumns already',
    );
  });

  it('refuses what is no object', () => {
    for (const document of [null, [], 3]) expect(failure(() => readSpec(document)).code).toBe('InvalidClinicalSpec');
  });

  it('accepts the built-in specifications written as documents', () => {
    for (const spec of Object.values(BUILT_IN_SPECS)) expect(readSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
  });
});

describe('applyEncoding', () => {
  const spec = {
    oneHot: ['stage'],
    numeric: ['age'],
    fill: 'mean',
    target: { column: 'outcome', codes: { dead: 1, alive: 0 } },
    dropRows: [{ column: 'stage', equals: 'none' }],
  };
  const first = make(['id,stage,age,outcome', 'a,1,50,dead', 'b,2,70,alive', 'c,,60,alive'], spec);

  it('repeats the features it was fitted on', () => {
    const table = readClinicalTable('id,stage,age,outcome\na,1,50,dead\nb,2,70,alive\nc,,60,alive\n');
    const again = applyEncoding(table, first.encoding);
    expect(again).toEqual({ ...first.features, dropped: first.dropped });
  });

  it('gives new cases the same columns, the fitted fill, and survives its way through JSON', () => {
    const encoding = JSON.parse(JSON.stringify(first.encoding)) as typeof first.encoding;
    const table = readClinicalTable('age,outcome,id,stage\n,alive,x,2\n41,dead,y,none\n42.5,dead,z,1.0\n');
    const { columns, rows, dropped } = applyEncoding(table, encoding);
    expect(columns).toEqual(first.features.columns);
    expect(rows).toEqual([
      ['0', '1', 'x', '60', '0'],
      ['1', '0', 'z', '42.5', '1'],
    ]);
    expect(dropped).toEqual([{ caseId: 'y', row: 3, reason: 'stage is "none"' }]);
  });

  it('refuses a category it does not know, or takes it for missing', () => {
    const table = readClinicalTable('id,stage,age,outcome\nx,3,50,dead\n');
    expect(failure(() => applyEncoding(table, first.encoding)).code).toBe('UnknownClinicalCategory');
    expect(applyEncoding(table, first.encoding, { unknown: 'missing' }).rows).toEqual([['0', '0', 'x', '50', '1']]);
  });

  it('serves cases whose outcome is not known yet', () => {
    const table = readClinicalTable('id,stage,age\nx,1,50\n');
    expect(applyEncoding(table, first.encoding).rows).toEqual([['1', '0', 'x', '50', '']]);
  });
});
