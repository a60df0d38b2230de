<?php
// A client of the registry as somebody writes it in PHP who knows the registry's documents and nothing of the sandbox: token
// by JSON, associative arrays, no extension but those that every PHP has.

declare(strict_types=1);

final class Client
{
    private string $token = '';

    public function __construct(private string $base, private string $brand)
    {
    }

    public function login(string $username, string $password): void
    {
        $body = ['grant_type' => 'password', 'username' => $username, 'password' => $password];
        [$status, $answer] = $this->send('POST', '/oauth2/token', $body);
        check($status === 200 && is_string($answer['access_token'] ?? null), 'a token', $answer);
        $this->token = $answer['access_token'];
    }

    /** @return array{int, mixed} status and answer */
    public function call(string $method, string $path, ?array $body = null): array
    {
        return $this->send($method, $this->brand . $path, $body);
    }

    private function send(string $method, string $path, ?array $body): array
    {
        $headers = ['Content-Type: application/json', 'Accept: application/json'];
        if ($this->token !== '') {
            $headers[] = 'Authorization: Bearer ' . $this->token;
        }
        $options = ['method' => $method, 'header' => $headers, 'ignore_errors' => true, 'timeout' => 10];
        if ($body !== null) {
            $options['content'] = json_encode($body, JSON_THROW_ON_ERROR);
        }
        $text = file_get_contents($this->base . $path, false, stream_context_create(['http' => $options]));
        check($text !== false, 'an answer', $path);
        preg_match('{HTTP/\S+ (\d+)}', $http_response_header[0], $found);
        if ($found[1] === '429') {
            sleep(1);
            return $this->send($method, $path, $body);
        }
        return [(int) $found[1], json_decode($text, true)];
    }
}

function check(bool $holds, string $what, mixed $value): void
{
    if (!$holds) {
        fwrite(STDERR, "php: not as documented: $what: " . json_encode($value, JSON_UNESCAPED_UNICODE) . "\n");
        exit(1);
    }
}

function ago(int $seconds): string
{
    return (new DateTimeImmutable("-$seconds seconds", new DateTimeZone('+03:00')))->format('Y-m-d H:i:s');
}

function consent(string $recipient, string $type, string $status, int $seconds): array
{
    return [
        'recipient' => $recipient, 'recipientType' => 'BIREYSEL', 'type' => $type, 'status' => $status,
        'source' => 'HS_WEB', 'consentDate' => ago($seconds),
    ];
}

$code = getenv('IYS_CODE');
$client = new Client(getenv('IYS_BASE_URL'), "/sps/$code/brands/$code");
[$status, $answer] = $client->call('GET', '/consents/changes');
check($status === 401 && $answer['errors'][0]['code'] === 'H351', 'no token: 401 H351', $answer);
$client->login(getenv('IYS_USERNAME'), getenv('IYS_PASSWORD'));

[$status, $answer] = $client->call('POST', '/consents', consent('Musteri@Ornek.com', 'EPOSTA', 'ONAY', 60));
check($status === 200 && strlen($answer['transactionId']) === 64, 'an add', $answer);
[$status, $answer] = $client->call('POST', '/consents', consent('musteri@ornek.com', 'EPOSTA', 'RET', 20));
check($status === 200, 'its withdrawal', $answer);
[$status, $answer] = $client->call('POST', '/consents', consent('musteri@ornek.com', 'EPOSTA', 'RET', 10));
check($status === 400 && $answer['errors'][0]['code'] === 'H174', 'RET on RET: H174', $answer);
[$status, $answer] = $client->call('POST', '/consents', ['recipient' => 'musteri@ornek.com', 'type' => 'SMS']);
$codes = array_column($answer['errors'], 'code');
check($status === 422 && in_array('H117', $codes, true) && in_array('H110', $codes, true), 'all errors at once', $answer);

$list = [];
for ($place = 0; $place < 20; $place++) {
    $list[] = consent("liste$place@ornek.com", 'EPOSTA', 'ONAY', 60);
}
[$status, $answer] = $client->call('POST', '/consents/request', $list);
check($status === 202 && count($answer['subRequests']) === 20, 'a list', $answer);
$request = $answer['requestId'];
for ($look = 0; $look < 30; $look++) {
    usleep(500_000);
    [$status, $results] = $client->call('GET', "/consents/request/$request");
    check($status === 200 && is_array($results), 'results', $results);
    if ($results !== []) {
        break;
    }
}
check(array_unique(array_column($results, 'status')) === ['success'], 'all are recorded', $results);

$recipients = array_column($list, 'recipient');
[$status, $answer] = $client->call('POST', '/consents/BIREYSEL/status/EPOSTA', [
    'recipients' => [...$recipients, 'musteri@ornek.com', 'yabanci@ornek.com'],
]);
sort($recipients);
sort($answer['list']);
check($status === 200 && $answer['list'] === $recipients, 'those who approve, and nobody else', $answer);

sleep(1);
[$status, $answer] = $client->call('GET', '/consents/changes?source=HS&limit=1000');
$mine = array_filter($answer['list'], static fn (array $one): bool => $one['type'] === 'EPOSTA');
check($status === 200 && count($mine) === 22 && is_string($answer['after']), 'the feed', $answer);
[$status] = $client->call('GET', '/consents/changes?source=IYS');
check($status === 204, 'nothing from citizens: 204', $status);
echo "php: token, add, errors, list of 20, statuses and feed as documented\n";
