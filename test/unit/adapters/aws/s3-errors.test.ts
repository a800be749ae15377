import { describe, expect, it } from 'vitest';
import { s3Error } from '../../../../src/adapters/aws/s3-errors.js';

/** An error as the SDK throws it. */
const answer = (name: string, httpStatusCode: number, message = name): Error =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode } });

describe('what S3 does not allow', () => {
  it.each([
    ['reading', 's3:GetObject'],
    ['listing', 's3:ListBucket'],
    ['writing', 's3:PutObject'],
    ['removing', 's3:DeleteObject'],
    ['looking at', 's3:GetObject and s3:ListBucket'],
  ] as const)('names the action that %s needs, as its remedy says', (doing, action) => {
    expect(s3Error(answer('AccessDenied', 403, 'Access Denied'), 's3://b/x', doing)).toMatchObject({
      code: 'AwsDenied',
      message: expect.stringMatching(`^S3, ${doing} s3://b/x: AccessDenied: Access Denied; it needs ${action}`),
      details: { action },
    });
  });

  it('says so where the answer says nothing, as that to a HEAD', () => {
    expect(s3Error(answer('Unknown', 403, 'UnknownError'), 's3://b/x', 'looking at')).toMatchObject({
      code: 'AwsDenied',
      message: 'S3, looking at s3://b/x: not allowed; it needs s3:GetObject and s3:ListBucket',
    });
  });

  it('is no matter of rights where credentials are wrong or nothing is there', () => {
    expect(s3Error(answer('InvalidAccessKeyId', 403), 's3://b/x', 'writing')).toMatchObject({ code: 'AwsCredentials' });
    expect(s3Error(answer('NoSuchBucket', 404), 's3://b/x', 'writing')).toMatchObject({ code: 'FileNotFound' });
  });
});
