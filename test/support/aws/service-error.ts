/** An error as a service answers it. */
export class ServiceError extends Error {
  constructor(
    readonly type: string,
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

export const invalid = (message: string): ServiceError => new ServiceError('ValidationException', message);
