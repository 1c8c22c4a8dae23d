// The admin Worker as the tests load it: the real entry and classes, observed.
import { handle } from "../../../target/bindgen/admin/claviger_admin.js";
import worker, * as entry from "../../../src/workers/admin/entry.js";
import { controlled, fault, observed, observedClass, trapping, trapsBy } from "./observed.js";

trapsBy(() => handle({}, {}, {}, 0));

export default {
  async fetch(request, env, ctx) {
    const retime = (account) => env.LEDGER.getByName(`ledger/${account}`).fetch("https://object/retime");
    const control = await controlled(request, retime);
    if (control) return control;
    const traps = await fault("handle", request.url);
    return worker.fetch(request, traps ? trapping : observed(env), ctx);
  },
};

export const Ledger = observedClass("Ledger", entry.Ledger);
export const Name = observedClass("Name", entry.Name);
export const Directory = observedClass("Directory", entry.Directory);
export const Address = observedClass("Address", entry.Address);
export const ApiName = observedClass("ApiName", entry.ApiName);
