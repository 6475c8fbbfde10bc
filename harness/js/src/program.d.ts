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
    /** @param {Start} options */
    constructor({ scenario, seed, set, args, program }?: Start);
    /**
     * Waits until the hub listens, and says where, and with which devices.
     *
     * @returns {Promise<{ listening: string, control: string, devices: { id?: string, password?: string }[] }>}
     */
    ready(): Promise<{
        listening: string;
        control: string;
        devices: {
            id?: string;
            password?: string;
        }[];
    }>;
    /** Ends it. Throws if it has already ended by itself. */
    stop(): Promise<void>;
    #private;
}
export type Start = {
    /**
     * the path of a scenario file; without it, the built-in demo with one pack of 20 cells
     */
    scenario?: string | undefined;
    /**
     * decides everything that is random
     */
    seed?: number | undefined;
    /**
     * values of the scenario to replace: `["devices.0.express.bms.cells=12"]`
     */
    set?: string[] | undefined;
    /**
     * more arguments of `veschub-sim serve`
     */
    args?: string[] | undefined;
    /**
     * the path of veschub-sim; without it, the one in the folder $VESCHUB_BIN, or on the PATH
     */
    program?: string | undefined;
};
