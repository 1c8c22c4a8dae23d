// サービスIDとサービスパスワード。
export default {
  "service.title": "サービス用の短期キー",
  "service.lead":
    "バックエンドは、サービスIDとサービスパスワード、または発行できるキーを使って、短期キーを発行します。サインインのパスワードとは別のものです。",
  "service.id": "サービスID",
  "service.password": "サービスパスワード",
  "service.changed": "変更：{ago}",
  "service.show": "サービスパスワードを表示",
  "service.change": "サービスパスワードを変更",
  "service.create": "サービスパスワードを作成",
  "service.creating": "作成中…",
  "service.none": "まだありません。アカウントのオーナーが作成できます。",
  "service.shown": "バックエンドが読み取る場所に保存してください。本人確認のあと、再び表示できます。",
  "service.example": "例：5分間使えるキーを発行",
  "service.example.hint":
    "1行目でサービスパスワードの入力を待ちます。応答はキーそのものです。ステータスが200以外の場合は、理由が返ります。",
  "service.limits": "このパスワードで発行されるキーの上限",
  "service.limits.edit": "このパスワードで発行されるキーの上限を変更",
  "service.used": "最終使用",
  "service.used.never": "使用なし",
  "service.used.count": { other: "過去7日間に{count}回" },
  "service.used.network": { other: "{network}：{count}回、{ago}" },
  "service.change.title": "サービスパスワードを変更しますか。",
  "service.change.body":
    "以前のパスワードで発行されたキーは、保存されているものも短期キーも、{seconds}秒以内にすべて使えなくなります。",
  "service.change.body.now":
    "以前のパスワードで発行されたキーは、保存されているものも短期キーも、すぐにすべて使えなくなります。",
  "service.change.body.eventually":
    "以前のパスワードで発行されたキーは、保存されているものも短期キーも、多くの拠点では1分以内、一部ではそれ以上かかって使えなくなります。",
  "service.change.confirm": "変更",
  "service.change.busy": "変更中…",
  "copy.service-id": "サービスIDをコピー",
  "copy.service-password": "サービスパスワードをコピー",
  "result.service_password": "サービスパスワードを変更しました。",
  "result.service_edited": "保存しました。",
  "bound.service.eventually":
    "以前のパスワードと、それで発行されたキーは、多くの拠点では1分以内、一部ではそれ以上かかって拒否されます。",
  "bound.service.by":
    "以前のパスワードと、それで発行されたキーは、{time}（{zone}）までに、すべての拠点で拒否されます。",
  "bound.service.since":
    "以前のパスワードと、それで発行されたキーは、{time}（{zone}）以降、すべての拠点で拒否されています。",
  "bound.service.now": "以前のパスワードと、それで発行されたキーは、今から、すべての拠点で拒否されます。",
  "problem.not_viewable": "表示できなくなりました。新しいものを取得して保存してください。",
  "problem.service_changed":
    "ほかの人が変更したため、保存していません。今の内容を確かめてから、もう一度お試しください。",
  "problem.service_not_loaded": "サービスIDを読み込めませんでした。変更は行われていません。",
};
