// Holds the messages about finding, counting and withdrawing accounts.
export default {
  "operator.members": "メンバー",
  "operator.keys": "保存されているキー",
  "operator.keys.of": "メンバーが発行：{members}件、プログラムが発行：{issuers}件",
  "operator.search": "名前またはアカウントIDで検索",
  "operator.status": "状態別のアカウント",
  "operator.status.all": "すべて",
  "operator.status.count": "{status}：{number}",
  "operator.none-match": "一致するアカウントはありません。",
  "operator.shown": { other: "{count}件のアカウントを表示しています。" },
  "operate.withdraw.title": "アカウント{name}の初期設定リンクを取り消しますか。",
  "operate.withdraw.body":
    "リンクは今後使えなくなり、アカウントは一覧から消えます。もう一度招待するには、新しいリンクを作成してください。",
  "operate.withdraw.confirm": "リンクを取り消す",
  "operate.withdraw.done": "初期設定リンクを取り消しました。",
  "problem.account_set_up": "アカウントはすでに設定されたため、取り消すリンクがありません。",
};
