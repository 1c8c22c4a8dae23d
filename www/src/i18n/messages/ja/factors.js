// 2段階認証。
export default {
  "mfa.heading": "2段階認証（MFA）",
  "mfa.lead":
    "オンにすると、このアカウントへのサインインに、パスワードとスマートフォンの認証アプリのコードが必要になります。ほかのアカウントの設定は変わりません。",
  "mfa.on": "オン",
  "mfa.off": "オフ",
  "mfa.set-up": "設定する",
  "mfa.beginning": "準備中…",
  "mfa.since": "{at}からオンです。",
  "mfa.codes-left": { other: "残りのリカバリーコードは{count}個です。" },
  "mfa.codes-few": "なくなる前に再発行してください。",
  "mfa.renew": "リカバリーコードを再発行",
  "mfa.renewing": "再発行中…",
  "mfa.renew.title": "リカバリーコードを再発行しますか。",
  "mfa.renew.body": "新しいコードを10個発行します。今のコードは使えなくなります。",
  "mfa.turn-off": "オフにする",
  "mfa.turning-off": "処理しています…",
  "mfa.turn-off.title": "2段階認証をオフにしますか。",
  "mfa.turn-off.body":
    "このアカウントには、パスワードだけでサインインできるようになります。リカバリーコードは使えなくなり、アプリの登録は削除できます。",
  "loading.factors": "2段階認証を読み込み中",
  "problem.factors_not_loaded": "2段階認証を読み込めませんでした。変更は行われていません。",
  "result.mfa_on": "2段階認証をオンにしました。ほかのブラウザはサインアウトされました。",
  "mfa.turn-off.keys": "あなたのキーは{seconds}秒以内にすべての拠点で拒否され、再びオンにするまで使えません。",
  "mfa.turn-off.keys.now": "あなたのキーはすべての拠点ですぐに拒否され、再びオンにするまで使えません。",
  "mfa.turn-off.keys.eventually": "あなたのキーは多くの拠点で1分以内に拒否され、再びオンにするまで使えません。",
  "result.mfa_off": "2段階認証をオフにしました。",
  "result.codes_renewed": "リカバリーコードを再発行しました。",

  // アプリ
  "mfa.app.title": "2段階認証の設定",
  "mfa.app.scan": "{until}（{zone}）までに、認証アプリでこのコードを読み取ってください。",
  "mfa.app.qr": "アプリに登録するキーのQRコード。同じキーを下に文字で表示しています。",
  "mfa.app.type": "または、このキーをアプリに入力してください。",
  "mfa.app.copy": "キーをコピー",
  "mfa.app.open": "この端末のアプリで開く",
  "mfa.app.code.hint": "アプリに今表示されている6桁の数字です。",
  "mfa.app.confirm": "オンにする",
  "mfa.app.busy": "処理しています…",
  "problem.app_over": "コードを入力できる時間が過ぎました。閉じて、もう一度設定してください。",
  "problem.factor_is_on": "2段階認証はすでにオンです。別のアプリを使うには、先にオフにしてください。",
  "problem.no_factor": "2段階認証がオフのため、変更は行われていません。",

  // リカバリーコード
  "recovery.title": "リカバリーコード",
  "recovery.lead":
    "この{count}個のコードを、今すぐ安全な場所に保存してください。再び表示することはできません。スマートフォンを失くしたときなどに、アプリのコードの代わりにそれぞれ1回使えます。",
  "recovery.label": "リカバリーコード",
  "recovery.copy": "コードをコピー",
  "recovery.download": "ダウンロード",
  "recovery.close.body":
    "コードは再び表示できません。コードとアプリの両方を失くした場合は、オーナーに2段階認証の解除を依頼する必要があります。",

  // サインイン
  "factor.title": "2段階認証",
  "factor.code": "アプリのコード",
  "factor.code.hint": "認証アプリに表示される6桁の数字です。",
  "factor.recovery": "リカバリーコード",
  "factor.recovery.hint": "16文字の英数字です。それぞれ1回だけ使えます。",
  "factor.use-recovery": "リカバリーコードを使う",
  "factor.use-code": "アプリのコードを使う",
  "factor.start-again": "最初からやり直す",
  "error.factor-code.required": "コードを入力してください。",
  "error.factor-code.refused": { other: "コードが一致しないか、使用済みです。あと{count}回入力できます。" },
  "error.factor-code.not_a_code": "コードは{digits}桁の数字です。",
  "error.factor-code.not_a_recovery_code": "リカバリーコードは16文字の英数字です。",
  "error.first-code.not_a_code": "コードは{digits}桁の数字です。",
  "error.first-code.required": "アプリに表示されているコードを入力してください。",
  "error.first-code.refused": {
    other: "コードが一致しません。あと{count}回入力できます。スマートフォンの時刻が正しいか確かめてください。",
  },
  "problem.challenge_over": "コードを入力できる時間または回数を超えました。もう一度サインインしてください。",
  "problem.too_many_factor_tries": "コードの誤入力が多すぎます。{at}（{zone}）以降にもう一度お試しください。",

  // メンバー
  "members.mfa": "MFA",
  "act.reset-factors": "2段階認証を解除する",
  "reset-factors.title": "「{name}」の2段階認証を解除しますか。",
  "reset-factors.body":
    "アプリとリカバリーコードの両方を失くした場合に解除します。パスワードだけでサインインできるようになります。すべてのブラウザからサインアウトされ、{email}にメールが届きます。",
  "reset-factors.confirm": "解除する",
  "reset-factors.busy": "解除しています…",
  "result.factors_reset": "「{name}」の2段階認証を解除し、すべてのブラウザからサインアウトさせました。",
};
