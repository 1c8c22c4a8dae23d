// Holds the messages about operators who sign in at Cloudflare Access.
export default {
  "access.sign-in": "Cloudflare Accessにサインイン",
  "access.sign-out": "Cloudflare Accessからサインアウト",
  "problem.access_sign_in": "運営者はCloudflare Accessでサインインします。現在サインインしていません。",
  "problem.access_not_listed": "Cloudflare Accessで、この環境の運営者であることを確認できませんでした。",
  "problem.access_too_old":
    "変更は行われていません。変更には、10分以内のCloudflare Accessへのサインインが必要です。いったんサインアウトし、もう一度サインインしてください。",
};
