import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";

/**
 * @typedef {object} Start
 * @property {string} [scenario] the path of a scenario file; without it, the built-in demo with one pack of 20 cells
 * @property {number} [seed] decides everything that is random
 * @property {string[]} [set] values of the scenario to replace: `["devices.0.express.bms.cells=12"]`
 * @property {string[]} [args] more arguments of `veschub-sim serve`
 * @property {string} [program] the path of veschub-sim; without it, the one in the folder $VESCHUB_BIN, or on the PATH
 */

/** The process of a hub. It ends with its stdin, so also when this process dies. */
export class Program {
  /** @type {import("node:child_process").ChildProcessWithoutNullStreams} */
  #child;
  #said = "";
  /** @type {Promise<unknown>} */
  #ended;
  #isStopped = false;

  /** @param {Start} options */
  constructor({ scenario, seed, set = [], args = [], program } = {}) {
    const folder = process.env.VESCHUB_BIN;
    const file = program ?? (folder ? path.join(folder, "veschub-sim") : "veschub-sim");
    const start = ["serve", scenario ?? "--demo", "--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"];
    const quiet = ["--until-stdin-ends", "--quiet", "--journal", "-", "--keep-credentials"];
    if (seed !== undefined) quiet.push("--seed", String(seed));
    const settings = set.flatMap((setting) => ["--set", setting]);
    this.#child = spawn(file, [...start, ...quiet, ...settings, ...args], { stdio: "pipe" });
    this.#child.stderr.on("data", (text) => (this.#said += text));
    this.#child.stdin.on("error", () => {}); // It has ended by itself, which `stop` tells.
    this.#ended = new Promise((resolve) => {
      this.#child.on("close", resolve);
      this.#child.on("error", (error) => {
        this.#said += `cannot start ${file}: ${error.message}; set VESCHUB_BIN to the folder of veschub-sim\n`;
        resolve(undefined);
      });
    });
  }

  /**
   * Waits until the hub listens, and says where, and with which devices.
   *
   * @returns {Promise<{ listening: string, control: string, devices: { id?: string, password?: string }[] }>}
   */
  async ready() {
    const lines = createInterface({ input: this.#child.stdout });
    /** @type {string[]} */
    const start = [];
    lines.on("line", (line) => {
      // The journal follows; nobody needs it, as the control API has it too.
      if (start.push(line) === 3) lines.emit("started");
    });
    await Promise.race([once(lines, "started"), this.#ended]);
    lines.close();
    if (start.length < 3) throw new Error(`the hub did not start\n${this.#said.trim()}`);
    this.#child.stdout.on("data", () => {}).resume();
    // A test that forgets to stop the hub ends all the same.
    for (const handle of this.#handles) handle.unref();
    return {
      listening: start[0].replace(/^listening on /, ""),
      control: start[1].replace(/^control on /, ""),
      devices: JSON.parse(start[2]).devices,
    };
  }

  /** What keeps Node from ending. */
  get #handles() {
    const { stdin, stdout, stderr } = this.#child;
    return [this.#child, .../** @type {import("node:net").Socket[]} */ ([stdin, stdout, stderr])];
  }

  /** Ends it. Throws if it has already ended by itself. */
  async stop() {
    if (this.#isStopped) return;
    this.#isStopped = true;
    const { exitCode, signalCode } = this.#child;
    for (const handle of this.#handles) handle.ref();
    this.#child.stdin.end();
    await this.#ended;
    const how = signalCode ?? exitCode;
    if (how !== null) throw new Error(`the hub ended by itself (${how})\n${this.#said.trim()}`);
  }
}
