import { describe, expect, it } from 'vitest';
import { boxWork, type Places } from '../../../../../src/adapters/aws/dragen/box-work.js';
import type { AwsSettings } from '../../../../../src/config/aws-settings.js';
import type { GenomicsSampleInput } from '../../../../../src/contracts/inputs.js';
import { ASSUMPTIONS } from '../../../../../src/domain/costs/index.js';
import { CohortflowError } from '../../../../../src/domain/errors.js';
import type { Files } from '../../../../../src/ports/files.js';

const choice = { profile: '4.3', reference: 's3://ref/hg38.fa', annotation: 's3://ref/genes.gtf' };
const RUN = 's3://sra-pub-run-odp/sra/SRR123456/SRR123456';

/** Places where objects have these sizes; an error stands for a service that does not tell. */
function places(sizes: Readonly<Record<string, number | CohortflowError>>, asked: string[] = []): Places {
  const look = async (where: string, uri: string) => {
    asked.push(`${where} ${uri}`);
    const size = sizes[uri] ?? (uri.startsWith('s3://ref/') ? 0 : undefined);
    if (size instanceof CohortflowError) throw size;
    return size === undefined ? undefined : { size, kind: 'file' };
  };
  const files = { stat: (uri: string) => look('as ourselves', uri) } as unknown as Files;
  return { files, archive: { head: (uri) => look('as nobody', uri) } };
}

async function workOn(runs: readonly string[], where: Places, settings: AwsSettings = {}) {
  const unit = {
    ...{ modality: 'genomics', caseId: 'A' },
    source: { kind: 'sra', runs, strandedness: 'auto' },
  } as GenomicsSampleInput['unit'];
  return boxWork(
    { place: 's3://w/a', logs: 's3://w/a', choice, table: { uri: 's3://t/', ready: true }, unit },
    settings,
    where,
  );
}

describe('how a machine fetches', () => {
  const TOOLS = 's3://tools/sratoolkit.tar.gz';
  const LICENCE = 's3://licences/dragen.cfg';

  it.each<[string, AwsSettings['s3'], readonly string[]]>([
    ['as itself', {}, []],
    ['as nobody', { anonymous: ['tools', 'licences'] }, ['--no-sign-request']],
    ['paying', { requesterPays: ['tools', 'licences'] }, ['--request-payer', 'requester']],
  ])('the SRA tools and the licence: %s', async (_how, s3 = {}, options) => {
    const settings = { s3, dragen: { sraTools: TOOLS, licence: LICENCE } };
    const { work } = await workOn(['SRR123456'], places({ [RUN]: 1e9 }), settings);
    expect(work.sample?.sraTools).toEqual({ uri: TOOLS, options });
    expect(work.sample?.licence).toEqual(['aws', 's3', 'cp', '--only-show-errors', ...options, LICENCE, '-']);
  });
});

describe('the room that archives need', () => {
  it('counts accessions, asked of the public archive as nobody', async () => {
    const asked: string[] = [];
    const { work, unsized } = await workOn(['srr123456'], places({ [RUN]: 1e9 }, asked));
    expect(work.bytes).toBe(1e9 * ASSUMPTIONS.dragenDisk.value);
    expect(unsized).toEqual([]);
    expect(asked).toContain(`as nobody ${RUN}`);
    expect(asked.filter((line) => line.includes('sra-pub'))).toHaveLength(1);
    expect(work.sample?.reads).toEqual({
      kind: 'sra',
      runs: [{ uri: RUN, options: ['--no-sign-request', '--region', 'us-east-1'] }],
    });
  });

  it('refuses what lies in an archive, before a machine is paid for', async () => {
    const found = (uri: string) => ({ kind: 'file', size: 1, ...(uri === 's3://own/1.sra' ? { archived: true } : {}) });
    const files = { stat: (uri: string) => Promise.resolve(found(uri)) } as unknown as Files;
    for (const anonymous of [[], ['own']]) {
      await expect(workOn(['s3://own/1.sra'], { ...places({}), files }, { s3: { anonymous } })).rejects.toMatchObject({
        code: 'ObjectArchived',
        message: expect.stringContaining('1.sra') as string,
      });
    }
  });

  it('refuses an accession that there is none of', async () => {
    await expect(workOn(['SRR123456'], places({}))).rejects.toMatchObject({
      code: 'FileNotFound',
      message: expect.stringContaining('SRR123456') as string,
    });
  });

  it('names an archive that is not there, but nobody whom its name may name', async () => {
    await expect(workOn(['s3://own/Zwiebelfisch_19511213.sra'], places({}))).rejects.toMatchObject({
      code: 'FileNotFound',
      message: '….sra: there is no such object in S3',
    });
  });

  it.each(['AwsUnavailable', 'AwsDenied', 'AwsThrottled'] as const)(
    'says of what it could not look at that it could not, and does not call it nothing: %s',
    async (code) => {
      const where = places({ [RUN]: new CohortflowError(code, 'no'), 's3://own/b.sra': 1e9 });
      const { work, unsized } = await workOn(['SRR123456', 's3://own/b.sra'], where);
      expect(unsized).toEqual(['SRR123456']);
      expect(work.bytes).toBe(1e9 * ASSUMPTIONS.dragenDisk.value);
      // The machine looks again when it has the archive.
      expect(work.sample?.roomPerByte).toBe(ASSUMPTIONS.dragenDisk.value);
    },
  );

  it('throws what it could not look at where nobody but us may', async () => {
    const where = places({ 's3://own/b.sra': new CohortflowError('AwsDenied', 'no') });
    await expect(workOn(['s3://own/b.sra'], where)).rejects.toMatchObject({ code: 'AwsDenied' });
  });
});
