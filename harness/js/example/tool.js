import { once } from "node:events";
import net from "node:net";

export const FW_VERSION = 0;
export const BMS_GET_VALUES = 96;

/** A client as small as one can be: what stands here in place of yours. */
export class Tool {
  #bytes = Buffer.alloc(0);
  #more = () => {};
  #isLate = false;

  /** @param {net.Socket} socket */
  constructor(socket) {
    this.socket = socket;
    /** Whether the hub has closed the connection. */
    this.isClosed = false;
    socket.on("data", (data) => {
      this.#bytes = Buffer.concat([this.#bytes, data]);
      this.#more();
    });
    socket.on("error", () => {});
    socket.setTimeout(10_000, () => {
      this.#isLate = true;
      socket.destroy();
    });
    socket.on("close", () => {
      this.isClosed = true;
      this.#more();
    });
  }

  /**
   * Connects and sends the login line.
   *
   * @param {{ host: string, port: number }} hub
   * @param {{ id: string, password: string }} device
   */
  static async connect({ host, port }, { id, password }) {
    const socket = net.connect(port, host);
    await once(socket, "connect");
    socket.write(`VESCTOOL:${id}:${password}\n`);
    return new Tool(socket);
  }

  /** @param {number[]} payload */
  ask(...payload) {
    const crc = checksum(payload);
    this.socket.write(Buffer.from([2, payload.length, ...payload, crc >> 8, crc & 0xff, 3]));
  }

  /** The payload of the next frame; undefined if the hub closed the connection. */
  async frame() {
    while (this.#bytes.length < 2 || this.#bytes.length < this.#bytes[1] + 5) {
      if (this.#isLate) throw new Error("nothing came for 10 s");
      if (this.isClosed) return undefined;
      await new Promise((resolve) => (this.#more = () => resolve(undefined)));
    }
    const length = this.#bytes[1];
    const payload = this.#bytes.subarray(2, 2 + length);
    this.#bytes = this.#bytes.subarray(length + 5);
    return payload;
  }

  /** The voltages of the cells in the next reply, in volts. */
  async cells() {
    const payload = await this.frame();
    if (payload?.[0] !== BMS_GET_VALUES) throw new Error(`this is no reply to BMS_GET_VALUES: ${payload?.toString("hex")}`);
    return Array.from({ length: payload[25] }, (_, cell) => payload.readInt16BE(26 + 2 * cell) / 1000);
  }

  poll() {
    this.ask(BMS_GET_VALUES);
    return this.cells();
  }

  close() {
    this.socket.destroy();
  }
}

/** CRC-16/XMODEM. @param {number[]} bytes */
function checksum(bytes) {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}
