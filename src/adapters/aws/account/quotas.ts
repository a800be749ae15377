import type { ServiceQuota, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import type { AwsQuota } from '../../../ports/aws-account.js';
import { clientOptions } from '../client-options.js';
import { reading } from './reading.js';

const PAGE = 100;
/** Service Quotas throttles early; its lists are long. */
const ATTEMPTS = 6;

/** Quotas by Service Quotas: the account's own values over the service's defaults. */
export class QuotaReader {
  #client: ServiceQuotasClient | undefined;

  constructor(private readonly region: string | undefined) {}

  async list(service: string, fits: (name: string) => boolean, signal: AbortSignal): Promise<readonly AwsQuota[]> {
    const sdk = await import('@aws-sdk/client-service-quotas');
    const client = (this.#client ??= new sdk.ServiceQuotasClient(clientOptions(this.region, ATTEMPTS)));
    const found = new Map<string, AwsQuota>();
    const take = ({ QuotaName: name, QuotaCode: code, Value: value }: ServiceQuota): void => {
      if (name !== undefined && code !== undefined && value !== undefined && fits(name)) {
        found.set(code, { name, code, value });
      }
    };
    const page = (NextToken?: string): { ServiceCode: string; MaxResults: number; NextToken?: string } => ({
      ...{ ServiceCode: service, MaxResults: PAGE },
      ...(NextToken === undefined ? {} : { NextToken }),
    });
    await reading('servicequotas:ListAWSDefaultServiceQuotas', signal, async () => {
      let token: string | undefined;
      do {
        const command = new sdk.ListAWSDefaultServiceQuotasCommand(page(token));
        const answer = await client.send(command, { abortSignal: signal });
        for (const quota of answer.Quotas ?? []) take(quota);
        token = answer.NextToken;
      } while (token !== undefined);
    });
    await reading('servicequotas:ListServiceQuotas', signal, async () => {
      let token: string | undefined;
      do {
        const answer = await client.send(new sdk.ListServiceQuotasCommand(page(token)), { abortSignal: signal });
        for (const quota of answer.Quotas ?? []) take(quota);
        token = answer.NextToken;
      } while (token !== undefined);
    });
    return [...found.values()];
  }
}
