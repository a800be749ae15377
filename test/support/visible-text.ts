import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';

/** All strings and bytes anywhere in a value, bytes as they are: what somebody with access to the server could read. */
export function visibleText(value: unknown): string {
  if (typeof value === 'string') return `${value}\n`;
  if (value instanceof Uint8Array) return `${Buffer.from(value).toString('latin1')}\n`;
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([name, part]) => `${name}\n${visibleText(part)}`)
    .join('');
}

/**
 * A value without the contents of its payloads: ids, types, names, messages of failures. The summaries that pages of a
 * workflow show are payloads too, and are left in.
 */
function outsidePayloads(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  const { metadata } = value as { metadata?: Record<string, unknown> };
  if (metadata?.['encoding'] !== undefined) return {};
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, name === 'userMetadata' ? part : outsidePayloads(part)]),
  );
}

/** What the server keeps of all workflows: raw histories, and what lists of workflows show of them. */
export interface ServerText {
  readonly workflowIds: readonly string[];
  readonly histories: string;
  /** The histories without what workflows and activities were given and returned. */
  readonly envelopes: string;
  readonly lists: string;
}

/** Fetches everything that a server keeps, without any key. */
export async function serverText(client: Client, query: string): Promise<ServerText> {
  const { namespace } = client.options;
  const service = client.workflowService;
  const workflowIds: string[] = [];
  let histories = '';
  let envelopes = '';
  let lists = '';
  let nextPageToken: Uint8Array = new Uint8Array(0);
  do {
    const page = await service.listWorkflowExecutions({ namespace, query, nextPageToken });
    for (const info of page.executions) {
      lists += visibleText(
        temporal.api.workflow.v1.WorkflowExecutionInfo.toObject(
          temporal.api.workflow.v1.WorkflowExecutionInfo.fromObject(info),
        ),
      );
      const execution = info.execution!;
      workflowIds.push(execution.workflowId!);
      let token: Uint8Array = new Uint8Array(0);
      do {
        const part = await service.getWorkflowExecutionHistory({ namespace, execution, nextPageToken: token });
        histories += visibleText(part.history?.events);
        envelopes += visibleText(outsidePayloads(part.history?.events));
        token = part.nextPageToken;
      } while (token.length > 0);
    }
    ({ nextPageToken } = page);
  } while (nextPageToken.length > 0);
  return { workflowIds, histories, envelopes, lists };
}

/** All texts of a list that occur in another text. */
export function foundIn(text: string, wanted: readonly string[]): string[] {
  const lower = text.toLowerCase();
  return wanted.filter((one) => lower.includes(one.toLowerCase()));
}

/** The contents and names of all files below a folder that `take` takes. */
export function folderText(folder: string, take: (path: string) => boolean = () => true): string {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && take(join(entry.parentPath, entry.name)))
    .map((entry) => `${entry.name}\n${readFileSync(join(entry.parentPath, entry.name)).toString('latin1')}\n`)
    .join('');
}
