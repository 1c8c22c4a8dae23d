// Holds the messages about codes that prove an address, and about changing one's own.
export default {
  "mailbox.mailed": "A code is on its way to {address}. It works until {until} ({zone}).",
  "mailbox.mailed-again":
    "A new code is on its way to {address}. It works until {until} ({zone}). The one before works no more.",
  "mailbox.failing":
    "The mail could not be sent yet and is retried. If no code arrives, check the address, or try again later.",
  "mailbox.refused": "The mail service refused the mail to {address} for good. Check the address, and mail a new code.",
  "mailbox.mail-off":
    "This step needs a code by mail, but mail is not set up here. Contact the provider of this service.",

  "setup.code.title": "Confirm your e-mail address",
  "setup.next": "Continue",

  "address.change": "Change e-mail address",
  "address.change.title": "Change your e-mail address",
  "address.change.body":
    "You sign in with {address} now. We mail a code to the new address, and nothing changes before you enter it. From then on the new address counts in all your accounts. Your other browsers are signed out, and the old address gets a mail about it.",
  "address.new": "New e-mail address",
  "address.submit": "Change address",
  "result.address_changed": "Your e-mail address is changed. Your other browsers are signed out.",
  "error.email.present": "This is your present address. Enter another one.",
  "problem.address_of_another":
    "Somebody signs in here with this address already. An address belongs to one person: choose another one.",
};
