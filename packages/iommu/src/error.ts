/** What can be wrong with the making of an IOMMU. */
export type IommuErrorCode = 'bad-option' | 'bad-snapshot';

export class IommuError extends Error {
  constructor(
    readonly code: IommuErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'IommuError';
  }
}
