export function refreshed(text: string): Promise<string>;
