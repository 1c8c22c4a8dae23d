// Holds the messages about operators who sign in at Cloudflare Access.
export default {
  "access.sign-in": "Sign in at Cloudflare Access",
  "access.sign-out": "Sign out of Cloudflare Access",
  "problem.access_sign_in": "Operators sign in at Cloudflare Access. You are not signed in there.",
  "problem.access_not_listed": "Cloudflare Access has not confirmed that you are an operator of this deployment.",
  "problem.access_too_old":
    "Nothing was changed. A change needs a sign-in at Cloudflare Access from the last ten minutes: sign out there, then sign in again.",
};
