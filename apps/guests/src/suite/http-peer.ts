import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const CHUNK = 64 * 1024;

/** An HTTP server of the host: GET gives bytes without end of pattern, POST and PUT take some. */
export class HttpPeer {
  /** SHA-256 of what GET gives. */
  readonly sha256: string;
  /** SHA-256 and length of each body that came. */
  readonly received: { readonly sha256: string; readonly length: number }[] = [];
  readonly #server: Server;
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
    const hash = createHash('sha256');
    for (const chunk of pattern(length)) hash.update(chunk);
    this.sha256 = hash.digest('hex');
    // A busy host may take its time over a large body.
    this.#server = createServer({ requestTimeout: 0 }, (request, response) => {
      if (request.method === 'GET') this.#give(response);
      else this.#take(request, response);
    });
  }

  /** Its port on the loopback interface, once it listens. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #give(response: ServerResponse): void {
    response.writeHead(200, { 'content-length': this.#length, 'content-type': 'application/octet-stream' });
    const chunks = pattern(this.#length);
    const more = (): void => {
      for (let next = chunks.next(); !next.done; next = chunks.next()) {
        if (!response.write(next.value)) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const hash = createHash('sha256');
    let length = 0;
    request.on('data', (chunk: Uint8Array) => {
      hash.update(chunk);
      length += chunk.length;
    });
    request.on('end', () => {
      this.received.push({ sha256: hash.digest('hex'), length });
      response.end('taken\n');
    });
  }
}

/** Bytes that repeat from run to run and nowhere within one. */
function* pattern(length: number): Generator<Uint8Array> {
  let state = 0x2545_f491;
  for (let left = length; left > 0; left -= CHUNK) {
    const words = new Uint32Array(CHUNK / 4);
    for (let at = 0; at < words.length; at++) {
      // xorshift32
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[at] = state;
    }
    yield new Uint8Array(words.buffer, 0, Math.min(CHUNK, left));
  }
}
