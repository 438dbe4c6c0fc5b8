<?php
// A client of the click API that speaks as docs/semantics.md §8 says: one POST, form-encoded, with the visitor's cookies;
// the answer is kept in the session for cookies_ttl hours, its cookies on the page's host.
class ClickClient
{
    private $url;
    private $params;
    private $result;

    public function __construct($url, $token)
    {
        $this->url = $url;
        $this->params = array(
            'token' => $token, 'version' => 3, 'info' => 1, 'ip' => '203.0.113.9', 'ua' => $_SERVER['HTTP_USER_AGENT'] ?? '',
            'language' => substr($_SERVER['HTTP_ACCEPT_LANGUAGE'] ?? '', 0, 2),
            'se_referrer' => $_SERVER['HTTP_REFERER'] ?? '', 'referrer' => $_SERVER['HTTP_REFERER'] ?? '',
            'original_headers' => getallheaders(), 'original_host' => $_SERVER['HTTP_HOST'], 'kversion' => '3.4',
        );
        session_start();
        if (isset($_SESSION['state']) && $_SESSION['expires'] >= time()) {
            $this->result = json_decode($_SESSION['state']);
            $this->result->headers = array();
        }
    }

    public function sendAllParams() { $this->params += $_GET; return $this; }
    public function param($name, $value) { $this->params[$name] = $value; return $this; }

    public function performRequest()
    {
        if ($this->result) {
            return $this->result;
        }
        $answer = file_get_contents($this->url, false, stream_context_create(array(
            'http' => array(
                'method' => 'POST', 'content' => http_build_query($this->params), 'timeout' => 60,
                'header' => "Content-Type: application/x-www-form-urlencoded\r\nCookie: " . ($_SERVER['HTTP_COOKIE'] ?? '') . "\r\n",
            ),
            'ssl' => array('cafile' => getenv('CERTIFICATE'), 'peer_name' => 'example.com'),
        )));
        if ($answer === false) {
            throw new Exception('the click API does not answer');
        }
        $this->result = json_decode($answer);
        $_SESSION['state'] = $answer;
        $_SESSION['expires'] = time() + 3600 * $this->result->cookies_ttl;
        foreach ($this->result->cookies as $name => $value) {
            setcookie($name, $value, time() + 3600 * $this->result->cookies_ttl, '/');
        }
        return $this->result;
    }

    public function getSubId() { $r = $this->performRequest(); return empty($r->info->sub_id) ? 'no_subid' : $r->info->sub_id; }
    public function getToken() { $r = $this->performRequest(); return empty($r->info->sub_id) ? 'no_token' : $r->info->token; }
    public function isBot() { return $this->performRequest()->info->is_bot; }
    public function isUnique() { return $this->performRequest()->info->uniqueness->campaign; }

    // The offer's link stands beside the API: the last part of the API's path gives way to the parameters.
    public function getOffer()
    {
        return substr($this->url, 0, strrpos($this->url, '/') + 1) . '?' . http_build_query(array('_lp' => 1, '_token' => $this->getToken()));
    }

    public function execute()
    {
        $r = $this->performRequest();
        foreach ($r->headers as $header) {
            header($header);
        }
        http_response_code($r->status);
        if (!empty($r->contentType)) {
            header('Content-Type: ' . $r->contentType);
        }
        echo $r->error, $r->body;
    }
}
