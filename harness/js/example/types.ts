// Read by `npm run types`, never run: what a mistake in your test looks like to the compiler.
import { Hub } from "veschub";

export async function types() {
  await using hub = await Hub.start({ seed: 1 });
  const device = await hub.create({ express: { bms: { cells: 4 } } }, { faults: [{ delay: { by: "250ms" } }] });
  await using _fault = await device.fault({ delay: { by: "250ms" } });
  const at: number = (await device.waitFor("attached")).at;
  const devices: number = (await hub.api.call("get", "/v1/hub")).devices;

  // @ts-expect-error: the key is `by`
  await device.fault({ delay: { bye: "250ms" } });
  // @ts-expect-error: a scenario has no such device
  await hub.create({ expres: {} });
  // @ts-expect-error: a duration is written as in a scenario
  await device.waitFor("attached", { within: 5 });
  // @ts-expect-error: the route takes an id
  await hub.api.call("get", "/v1/devices/{id}");
  return [at, devices];
}
