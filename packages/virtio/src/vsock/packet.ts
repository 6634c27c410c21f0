import * as V from './codes.js';

/** 5.10.6: the fields of a packet; reused from packet to packet. */
export class PacketHeader {
  /** Context IDs; -1 where the upper half is not zero. */
  sourceCid = 0;
  destinationCid = 0;
  sourcePort = 0;
  destinationPort = 0;
  /** Bytes of payload. */
  length = 0;
  type = V.TYPE_STREAM;
  op = 0;
  flags = 0;
  bufferSpace = 0;
  forwarded = 0;
  readonly bytes = new Uint8Array(V.HDR_SIZE);
  readonly #view = new DataView(this.bytes.buffer);

  /** Takes the fields out of {@link bytes}. */
  decode(): void {
    const view = this.#view;
    const cid = (at: number): number => (view.getUint32(at + 4, true) === 0 ? view.getUint32(at, true) : -1);
    this.sourceCid = cid(V.HDR_SRC_CID);
    this.destinationCid = cid(V.HDR_DST_CID);
    this.sourcePort = view.getUint32(V.HDR_SRC_PORT, true);
    this.destinationPort = view.getUint32(V.HDR_DST_PORT, true);
    this.length = view.getUint32(V.HDR_LEN, true);
    this.type = view.getUint16(V.HDR_TYPE, true);
    this.op = view.getUint16(V.HDR_OP, true);
    this.flags = view.getUint32(V.HDR_FLAGS, true);
    this.bufferSpace = view.getUint32(V.HDR_BUF_ALLOC, true);
    this.forwarded = view.getUint32(V.HDR_FWD_CNT, true);
  }

  /** Puts the fields into {@link bytes}. */
  encode(): void {
    const view = this.#view;
    this.bytes.fill(0);
    view.setUint32(V.HDR_SRC_CID, this.sourceCid, true);
    view.setUint32(V.HDR_DST_CID, this.destinationCid, true);
    view.setUint32(V.HDR_SRC_PORT, this.sourcePort, true);
    view.setUint32(V.HDR_DST_PORT, this.destinationPort, true);
    view.setUint32(V.HDR_LEN, this.length, true);
    view.setUint16(V.HDR_TYPE, this.type, true);
    view.setUint16(V.HDR_OP, this.op, true);
    view.setUint32(V.HDR_FLAGS, this.flags, true);
    view.setUint32(V.HDR_BUF_ALLOC, this.bufferSpace, true);
    view.setUint32(V.HDR_FWD_CNT, this.forwarded, true);
  }
}
