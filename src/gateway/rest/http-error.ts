/** Ends a request with a status and `{"message": ...}`, the shape of every error of the contract. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: 400 | 401 | 403 | 404 | 408 | 417 | 422 | 431 | 500 | 503

  constructor(status: HttpError['status'], message: string) {
    super(message)
    this.status = status
  }
}
