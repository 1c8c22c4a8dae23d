// キーの削除。
export default {
  "delete.title": "APIキーの削除",
  "delete.body": { other: "次の{count}件は{seconds}秒以内に、すべての拠点で拒否されます。{until}まで復元できます。" },
  "delete.body.now": { other: "次の{count}件はすぐに、すべての拠点で拒否されます。{until}まで復元できます。" },
  "delete.body.eventually": {
    other: "次の{count}件は、多くの拠点では1分以内、一部ではそれ以上かかって拒否されます。{until}まで復元できます。",
  },
  "delete.key": "「{name}」（{id}）",
  "delete.unused": { other: "過去24時間の呼び出しはありません。" },
  "delete.used": { other: "「{name}」は過去24時間に{count}回使われました。" },
  "delete.confirm": "削除",
  "delete.opening": "コードを送信中…",
  "delete.mailed": {
    other: "{address}に認証コードを送りました。次の{count}件の削除にだけ、{until}（{zone}）まで使えます。",
  },
  "delete.mailed-new": {
    other: "{address}に新しい認証コードを送りました。次の{count}件の削除にだけ、{until}（{zone}）まで使えます。",
  },
  "delete.mailed-again": "{address}に新しい認証コードを送りました。",
  "delete.code": "認証コード",
  "delete.code.hint": "6桁の数字です。",
  "delete.code.tries": { other: "6桁の数字です。あと{count}回入力できます。" },
  "delete.send": "送信",
  "delete.busy": "削除中…",
  "delete.mail-again": "コードを再送",
  "delete.mailing": "送信中…",
  "delete.mail-failing":
    "メールをまだ送信できていません。送信は繰り返し試みます。メールがなくても、無効にすればキーは止まります。",
  "delete.mail-refused":
    "メールは拒否されたため、再送信されません。メールアドレスについてサービスの運営者にお問い合わせください。メールがなくても、無効にすればキーは止まります。",
  "delete.mail-off":
    "削除にはメールの認証コードが必要ですが、メールが設定されていません。メールがなくても、無効にすればキーは止まります。",
  "delete.too-many-codes":
    "{at}（{zone}）まで、これ以上コードを送信できません。メールがなくても、無効にすればキーは止まります。",
  "delete.disable": { other: "代わりに{count}件を無効にする" },
  "delete.refused.protected": "保護されているキーがあるため、削除しませんでした：{names}",
  "delete.refused.not_found": "すでに削除されたキーがあるため、削除しませんでした：{names}",
  "problem.protected": "保護されているキーがあるため、削除しませんでした。",
  "problem.mail_off":
    "削除にはメールの認証コードが必要ですが、メールが設定されていません。メールがなくても、無効にすればキーは止まります。",
  "problem.not_deleted": "このキーは削除されていません。今の状態を確かめてください。",
  "problem.too_many_codes": "現在、これ以上コードを送信できません。メールがなくても、無効にすればキーは止まります。",
  "mail.failing": "現在、メールを送信できません。キーの削除はできませんが、無効にすることはできます。",
};
