// アカウントのポリシーと、メンバーのキーペアの文。
export default {
  // キーペア
  "loading.pair": "キーペアを読み込み中",
  "problem.pair_not_loaded": "キーペアを読み込めませんでした。変更は行われていません。",
  "pair.heading": "あなたのキーペア",
  "pair.others": "全メンバーのキー",
  "pair.others.none": "キーを持つメンバーはまだいません。",
  "pair.none": "キーペアはまだありません。今生成すると、{at}（{zone}）まで使えます。",
  "pair.none.unlimited": "キーペアはまだありません。",
  "pair.permission": "あなたの役割では、キーペアの生成と管理はできません。{names}に依頼してください。",
  "pair.second-factor": "キーペアには多要素認証（MFA）が必要です。先に設定してから、ここでキーペアを生成してください。",
  "pair.mfa-off": "MFAがオフのため、このキーペアは拒否されます。MFAをオンにすると再び使えます。",
  "pair.second-factor.setup": "MFAを設定",
  "status.mfa_off.until.own": "ご自身のMFAをオンにするまで",
  "status.mfa_off.until": "{name}さんがMFAをオンにするまで",
  "status.mfa_off.until.removed": "退出した{name}さんのMFAがオフでした",
  "mfa-off.key": "これは{name}さんのキーです。{name}さんのMFAがオフのため、オンにするまで拒否されます。",
  "mfa-off.key.own": "ご自身のMFAがオフのため、オンにするまでこのキーは拒否されます。",
  "mfa-off.key.removed":
    "これは、MFAがオフのままアカウントを離れた{name}さんのキーです。今後も拒否されるため、代わりのキーを発行してください。",
  "mfa-off.issued":
    "このキーの発行元は{name}さんのキーです。{name}さんのMFAがオフのため、オンにするまで両方とも拒否されます。",
  "mfa-off.issued.own": "このキーの発行元はご自身のキーです。MFAがオフのため、オンにするまで両方とも拒否されます。",
  "mfa-off.issued.removed":
    "このキーの発行元は、MFAがオフのままアカウントを離れた{name}さんのキーです。今後も両方とも拒否されるため、代わりのキーを発行してください。",
  "mfa-off.stays": "{name}さんがMFAをオンにするまで拒否されます。",
  "mfa-off.stays.own": "ご自身のMFAをオンにするまで拒否されます。",
  "mfa-off.stays.removed": "MFAがオフのまま{name}さんがアカウントを離れたため、拒否されたままです。",
  "pair.generate": "新しいキーを生成",
  "pair.expires": "有効期限",
  "pair.switch": "{name}を有効にする",
  "pair.deleted.open": "削除したキーペアを開く",
  "pair.rename": "名前を変更",
  "pair.details": "詳細と制限",
  "pair.name": "{name}のキーペア",
  "pair.name.hint": "名前はアカウント内でのみ表示されます。いつでも変更できます。",
  "pair.form.lead": "アクセスシークレットは一度だけ表示されます。キーペアは{at}（{zone}）まで使えます。",
  "pair.form.submit": "生成",
  "pair.form.busy": "生成中…",
  "pair.form.no-answer":
    "応答がありませんでした。キーペアが作られた可能性があります。閉じて確認し、ある場合は削除してください。秘密の値は表示されていません。",
  "pair.form.already":
    "キーペア「{name}」はすでに生成されています。秘密の値は一度だけ表示されました。失くした場合は削除してください。",
  "pair.reveal.title": "キーペアを生成しました。",
  "pair.reveal.once":
    "アクセスシークレットを今すぐ安全な場所に保存してください。再び表示することはできません。失くした場合は、削除して生成し直してください。",
  "pair.reveal.whole": "1つのキーとして",
  "pair.reveal.whole.hint": "同じキーペアを1つにつなげた文字列です。単一のキーを送るクライアント向けです。",
  "pair.close.body": "アクセスシークレットを失くした場合は、削除して生成し直してください。",
  "rename.title": "「{name}」の名前の変更",
  "rename.submit": "名前を変更",
  "rename.busy": "変更中…",
  "result.generated": "「{name}」を生成しました。",
  "result.renamed": "名前を「{name}」に変更しました。",
  "problem.key_pair_exists": "キーペアはすでにあります。新しく生成する前に削除してください。",
  "problem.mfa_required": "このアカウントでは多要素認証（MFA）が必要です。先に設定してください。",
  "problem.code_required":
    "このアカウントでキーを削除するには、メールの認証コードが必要です。ページを再読み込みしてください。",
  "problem.not_your_key":
    "このキーはほかのメンバーのもので、変更できるのは本人だけです。オーナーは無効化と削除ができます。",
  "problem.key_member_gone": "このキーのメンバーはアカウントを離れ、キーも同時に使えなくなりました。",
  "error.expires.too_long_for_policy":
    "このアカウントのキーは、それほど長く使えません。もっと早い期限を選んでください。",
  "error.viewable.not_allowed": "このアカウントのキーは再び表示できません。チェックを外してください。",

  // メンバーの終わり
  "remove.keys": {
    other:
      "{email}はただちに、すべてのブラウザでこのアカウントからサインアウトされます。このメンバーのキー{count}件も{seconds}秒以内に、すべての拠点で拒否されます。元に戻すにはもう一度招待が必要で、キーは削除されたままです。",
  },
  "remove.keys.now": {
    other:
      "{email}はただちに、すべてのブラウザでこのアカウントからサインアウトされます。このメンバーのキー{count}件もただちに、すべての拠点で拒否されます。元に戻すにはもう一度招待が必要で、キーは削除されたままです。",
  },
  "remove.keys.eventually": {
    other:
      "{email}はただちに、すべてのブラウザでこのアカウントからサインアウトされます。このメンバーのキー{count}件も、多くの拠点では1分以内に、一部ではそれより遅れて拒否されます。元に戻すにはもう一度招待が必要で、キーは削除されたままです。",
  },
  "remove.no-keys":
    "{email}はただちに、すべてのブラウザでこのアカウントからサインアウトされます。元に戻すには、もう一度招待が必要です。",
  "leave.keys": {
    other:
      "ただちに、すべてのブラウザでこのアカウントからサインアウトされます。あなたのキー{count}件も{seconds}秒以内に、すべての拠点で拒否されます。元に戻すにはもう一度招待が必要で、キーは削除されたままです。",
  },
  "leave.keys.now": {
    other:
      "ただちに、すべてのブラウザでこのアカウントからサインアウトされます。あなたのキー{count}件もただちに、すべての拠点で拒否されます。元に戻すにはもう一度招待が必要で、キーは削除されたままです。",
  },
  "leave.keys.eventually": {
    other:
      "ただちに、すべてのブラウザでこのアカウントからサインアウトされます。あなたのキー{count}件も、多くの拠点では1分以内に、一部ではそれより遅れて拒否されます。元に戻すにはもう一度招待が必要で、キーは削除されたままです。",
  },
  "leave.no-keys":
    "ただちに、すべてのブラウザでこのアカウントからサインアウトされます。元に戻すには、もう一度招待が必要です。",

  "bound.keys.by": "このメンバーのキーは{time}（{zone}）までに、すべての拠点で拒否されます。",
  "bound.keys.since": "このメンバーのキーは{time}（{zone}）以降、すべての拠点で拒否されています。",
  "bound.keys.now": "このメンバーのキーは今から、すべての拠点で拒否されます。",
  "bound.keys.eventually": "このメンバーのキーは、多くの拠点では1分以内に、一部ではそれより遅れて拒否されます。",

  // ポリシー
  "policy.title": "キーのポリシー",
  "policy.change": "ポリシーを変更",
  "policy.preset": "プリセット",
  "policy.preset.portal": "ポータル",
  "policy.preset.registry": "レジストリ",
  "policy.preset.portal.hint":
    "メンバーは複数のキーを発行できます。キーはアカウントのもので、メンバーが離れても使えます。",
  "policy.preset.registry.hint":
    "メンバーごとに、1年間有効なキーペアが1つです。キーペアはメンバーのもので、アカウントを離れると使えなくなります。",
  "policy.differs": "{preset}（変更あり）",
  "policy.keys_per_member": "メンバーごとのキー",
  "policy.keys_per_member.many": "複数",
  "policy.keys_per_member.one": "キーペア1つ",
  "policy.default_life": "期限を指定しないキーの有効期間",
  "policy.default_life.never": "なし（キーごとに期限を指定）",
  "policy.longest_life": "キーの最長の有効期間",
  "policy.longest_life.never": "無期限",
  "policy.days": { other: "{count}日" },
  "policy.years": { other: "{count}年" },
  "policy.keys_follow_member": "キーはメンバーのもので、アカウントを離れると使えなくなる",
  "policy.viewable_allowed": "キーをあとから表示できるようにすることを許可する",
  "policy.demands_mfa": "キーにMFAを必要とする",
  "policy.deletion_by_code": "キーの削除にメールの認証コードを必要とする",
  "policy.mail_on_generation": "新しいキーごとに、確認のメールをメンバーに送る",
  "policy.proofs": "本人確認",
  "policy.proofs.legend": "操作の前の本人確認",
  "policy.proofs.hint":
    "10分以内の確認が必要です。MFAを設定したメンバーは、パスワードやメールの認証コードの代わりにMFAで確認します。",
  "policy.proofs.change_keys": "キーの発行と変更",
  "policy.proofs.show_secrets": "秘密の値の再表示",
  "policy.proofs.change_service": "サービスパスワードの変更",
  "policy.proofs.manage_members": "メンバーの管理",
  "policy.proofs.change_account": "アカウントの変更",
  "policy.proofs.operate": "ほかのアカウントの運用",
  "policy.proofs.line": "{action}：{proof}",
  "policy.proofs.others": "その他：パスワード",
  "policy.proof.none": "なし",
  "policy.proof.password": "パスワード",
  "policy.proof.email_code": "メールの認証コード",
  "policy.proof.totp": "MFA",
  "policy.proof.passkey": "パスキー",
  "policy.next": "影響を確認",
  "policy.previewing": "確認中…",
  "policy.preview.title": "「{name}」のポリシーを変更しますか。",
  "policy.preview.lead":
    "この変更で完全に失効するキーはありません。以後のメンバーの操作に適用され、MFAの条件は既存のキーにも適用されます。",
  "policy.preview.none": "影響を受ける既存のキーやメンバーはありません。",
  "policy.preview.same": "今のポリシーと違いはありません。",
  "policy.preview.line": "{what}{names}",
  "policy.preview.names": "例：{names}",
  "policy.preview.all": "（{names}）",
  "policy.confirm": "ポリシーを変更",
  "policy.busy": "変更中…",
  "policy.meanwhile": "ほかの人がこのポリシーを変更したため、何も行っていません。もう一度影響を確認してください。",
  "policy.effect.members_with_more_keys": {
    other: "{count}人のメンバーが複数のキーを持っています。キーは残りますが、すべて削除するまで新しく発行できません。",
  },
  "policy.effect.keys_that_live_longer": {
    other: "{count}件のキーは、新しい上限より長く有効です。期限はそのままです。",
  },
  "policy.effect.keys_no_longer_shown": { other: "表示可能なキー{count}件を、表示できなくなります。" },
  "policy.effect.keys_that_follow": {
    other: "{count}件のキーは、メンバーがアカウントを離れると使えなくなります。",
  },
  "policy.effect.keys_that_stay": {
    other: "{count}件のキーは、メンバーがアカウントを離れても使えるようになります。",
  },
  "policy.effect.keys_without_member": {
    other: "{count}件のキーには、もうメンバーがいません。キーは残り、オーナーが無効化と削除を行えます。",
  },
  "policy.effect.members_without_factor": {
    other: "{count}人のオーナーと管理者は、キーを発行する前にMFAの設定が必要です。",
  },
  "policy.effect.members_without_proof": {
    other: "{count}人のメンバーは、一部の操作の前にMFAの設定が必要です。",
  },
  "policy.effect.keys_without_factor": {
    other: "{count}件のキーは、メンバーがMFAをオンにするまで拒否されます。",
  },
  "policy.effect.keys_back_without_factor": {
    other: "メンバーのMFAがオフの{count}件のキーが、再び使えるようになります。",
  },
  "result.policy": "「{name}」のポリシーを変更しました。",
  "error.default_life.longer_than_longest": "最長の有効期間を超えない期間を選んでください。",
  "error.operate.proof_needed": "ほかのアカウントの運用には本人確認が必要です。",
  "error.keys_follow_member.too_many_keys":
    "{max}件を超えるキーを持つメンバーがいるため、同時に終わらせることができません。先に削除してもらってください。",
};
