// Holds the messages about finding, counting and withdrawing accounts.
export default {
  "operator.members": "Members",
  "operator.keys": "Stored keys",
  "operator.keys.of": "{members} issued by members, {issuers} by programs",
  "operator.search": "Search by name or account ID",
  "operator.status": "Accounts by status",
  "operator.status.all": "All",
  "operator.status.count": "{status}: {number}",
  "operator.none-match": "No account matches.",
  "operator.shown": { one: "{count} account is shown.", other: "{count} accounts are shown." },
  "operate.withdraw.title": "Withdraw the set-up link of account {name}?",
  "operate.withdraw.body":
    "The link is refused from now on, and the account leaves the list. To invite its owner again, create another link.",
  "operate.withdraw.confirm": "Withdraw the link",
  "operate.withdraw.done": "The set-up link is withdrawn.",
  "problem.account_set_up": "The account has been set up meanwhile, so there is no link to withdraw.",
};
