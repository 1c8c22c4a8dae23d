// Holds the messages about refused times and networks.
export default {
  "error.no_such_offset": "UTCとの時差は-23:59から+23:59までで、分は00から59までです。",
  "error.zero_duration": "期間は0より長くしてください。",
  "error.looks_like_unix_time": "Unix時刻のようです。{at}と書くか、単位を付けた期間を入力してください。",
  "error.longest.looks_like_unix_time": "日時のようです。単位を付けた期間を入力してください。",
  "error.looks_like_date": "日付のようです。2027-06-30のように書くか、単位を付けた期間を入力してください。",
  "error.blank_for_plus": "時差の前の+が空白になっています。+を付けるか、Zを付けてUTCで書いてください。",
  "line.no_caller":
    "このアドレスから呼び出されることはありません。マスクは10.0.0.0/8のようにプレフィックスで書いてください",
  "line.netmask": "マスク付きのネットワークは{suggestion}と書いてください",
  "line.wildcard": "ワイルドカードは{suggestion}と書いてください",
  "line.range": "範囲はCIDRで書いてください：{suggestion}",
  "line.open_range": "範囲は10.0.0.0/24のようにCIDRで書いてください",
  "line.port": "ポートを除き、{suggestion}と書いてください",
  "line.only_address": "アドレス以外を除き、{suggestion}と書いてください",
  "line.short_form": "4つの数字で{suggestion}と書いてください",
  "line.host_name": "ホスト名ではなく、アドレスを書いてください",
  "line.word": "アドレスではありません。除いてください",
  "line.comment": "コメントは保存されません。除いてください",
  "line.anywhere": "どこからでも許可する場合は、空欄にしてください",
  "line.exception": "除外の指定はできません。許可するものだけを書いてください",
  "line.unreachable.private": "プライベートアドレスからは、インターネット経由でこのサービスに接続できません",
  "line.unreachable.loopback":
    "ループバックアドレスは1台の機器の中でだけ使われるため、ここから呼び出されることはありません",
  "line.unreachable.link_local": "リンクローカルアドレスからは、インターネット経由でこのサービスに接続できません",
  "line.unreachable.carrier_nat":
    "通信事業者のNATの内側で使われるアドレスからは、インターネット経由でこのサービスに接続できません",
  "line.unreachable.documentation": "文書の例に使うアドレスのため、ここから呼び出されることはありません",
  "line.unreachable.benchmarking": "ネットワーク機器の試験に使うアドレスのため、ここから呼び出されることはありません",
  "line.unreachable.protocol": "プロトコル用に予約されたアドレスのため、ここから呼び出されることはありません",
};
