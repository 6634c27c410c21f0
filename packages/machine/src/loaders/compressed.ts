import { MachineError } from '../error.js';

/**
 * Unpacks gzip (RFC 1952) data of at most `limit` bytes; more is an error, so that a small file cannot fill
 * the host's memory.
 */
export type Inflate = (bytes: Uint8Array, limit: number) => Uint8Array | Promise<Uint8Array>;

const GZIP_MAGIC = 0x1f8b;
/** EFI zboot images (Linux, drivers/firmware/efi/libstub/zboot-header.S): "MZ\0\0zimg". */
const ZBOOT_MAGIC = [0x4d, 0x5a, 0, 0, 0x7a, 0x69, 0x6d, 0x67];
const ZBOOT_PAYLOAD_OFFSET = 8;
const ZBOOT_PAYLOAD_SIZE = 12;
const ZBOOT_COMPRESSION = 24;
const ZBOOT_HEADER_SIZE = 56;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && ((bytes[0] << 8) | bytes[1]) === GZIP_MAGIC;
}

export function isZboot(bytes: Uint8Array): boolean {
  return bytes.length >= ZBOOT_HEADER_SIZE && ZBOOT_MAGIC.every((byte, at) => bytes[at] === byte);
}

/** gzip by the platform's DecompressionStream (browsers, Node 18 and later). @throws MachineError bad-gzip, does-not-fit */
export async function inflateGzip(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const stream = new Blob([bytes as BlobPart]).stream().pipeThrough(new DecompressionStream('gzip'));
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new MachineError('bad-gzip', `the compressed image does not unpack: ${message(cause)}`, {
        cause,
      });
    });
    if (done) break;
    length += value.length;
    if (length > limit) {
      await reader.cancel();
      throw new MachineError(
        'does-not-fit',
        `the compressed image unpacks to more than ${limit} bytes of memory`,
      );
    }
    parts.push(value);
  }
  const unpacked = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    unpacked.set(part, at);
    at += part.length;
  }
  return unpacked;
}

/**
 * The image inside a gzip file or an EFI zboot image; any other file comes back as it is.
 * @param limit bytes that the result may have
 * @throws MachineError bad-gzip, bad-image, unsupported-image, does-not-fit
 */
export async function unpackImage(
  bytes: Uint8Array,
  limit: number,
  inflate: Inflate = inflateGzip,
): Promise<Uint8Array> {
  const packed = isZboot(bytes) ? zbootPayload(bytes) : bytes;
  if (!isGzip(packed)) return packed;
  let unpacked: Uint8Array;
  try {
    unpacked = await inflate(packed, limit);
  } catch (cause) {
    if (cause instanceof MachineError) throw cause;
    throw new MachineError('bad-gzip', `the compressed image does not unpack: ${message(cause)}`, { cause });
  }
  if (unpacked.length > limit) {
    throw new MachineError(
      'does-not-fit',
      `the compressed image unpacks to more than ${limit} bytes of memory`,
    );
  }
  if (isGzip(unpacked)) throw new MachineError('bad-gzip', 'the image is compressed twice');
  return unpacked;
}

function zbootPayload(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = view.getUint32(ZBOOT_PAYLOAD_OFFSET, true);
  const size = view.getUint32(ZBOOT_PAYLOAD_SIZE, true);
  if (start < ZBOOT_HEADER_SIZE || start + size > bytes.length) {
    throw new MachineError(
      'bad-image',
      'the EFI zboot image is not valid: its payload lies outside the file',
    );
  }
  const name = bytes.subarray(ZBOOT_COMPRESSION, ZBOOT_HEADER_SIZE);
  const end = name.indexOf(0);
  const compression = String.fromCharCode(...name.subarray(0, end < 0 ? name.length : end));
  if (compression !== 'gzip') {
    throw new MachineError(
      'unsupported-image',
      `the EFI zboot image is compressed by ${JSON.stringify(compression)}; only gzip is known, so unpack it first`,
    );
  }
  const payload = bytes.subarray(start, start + size);
  if (!isGzip(payload)) {
    throw new MachineError('bad-image', 'the EFI zboot image is not valid: its payload is no gzip data');
  }
  return payload;
}

const message = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));
