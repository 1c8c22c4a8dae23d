// Keeps the tabs of one browser in the same account. They share one cookie, so a tab that showed
// another account would act in the wrong one.

const channel = new BroadcastChannel("claviger");

/** Reports to the other tabs which member this browser is now. @param {string} member ID */
export const reportMember = (member) => channel.postMessage(member);

/**
 * Calls `follow` when another tab has become a member. Returns what ends that.
 * @param {(member: string) => void} follow gets the ID
 */
export function onMemberElsewhere(follow) {
  /** @param {MessageEvent<string>} event */
  const hear = ({ data }) => follow(data);
  channel.addEventListener("message", hear);
  return () => channel.removeEventListener("message", hear);
}
