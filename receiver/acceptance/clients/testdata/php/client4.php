<?php
// A client of version 4 of the click API: one POST, form-encoded, with the page's request in groups; the answer's cookies
// are dates and attributes, and the session keeps the answer for ttl seconds.
class ClickClient4
{
    private $base;
    private $params;
    private $result;
    private $restored = false;

    public function __construct($url, $token)
    {
        $parts = parse_url($url);
        $this->base = $parts['scheme'] . '://' . $parts['host'] . (isset($parts['port']) ? ':' . $parts['port'] : '');
        $headers = array();
        foreach ($_SERVER as $name => $value) {
            if (strpos($name, 'HTTP_') === 0 && $name !== 'HTTP_CONNECTION') {
                $headers[strtolower(str_replace('_', '-', substr($name, 5)))] = $value;
            }
        }
        $this->params = array(
            'token' => $token, 'version' => '4', 'headers' => $headers, 'method' => $_SERVER['REQUEST_METHOD'],
            'server' => array('remote_addr' => '203.0.113.9'), 'get_params' => $_GET, 'post_params' => $_POST,
        );
        session_start();
    }

    public function set($name, $value) { $this->params[$name] = $value; }

    public function restoreFromSession()
    {
        if (empty($_SESSION['state4']) || $_SESSION['expires4'] < time()) {
            return;
        }
        $this->result = json_decode($_SESSION['state4']);
        $this->result->headers = array();
        $this->restored = true;
    }

    public function performRequest()
    {
        if ($this->result) {
            return $this->result;
        }
        $answer = file_get_contents($this->base . '/click_api/v4', false, stream_context_create(array(
            'http' => array(
                'method' => 'POST', 'content' => http_build_query($this->params), 'timeout' => 60,
                'header' => "Content-Type: application/x-www-form-urlencoded\r\n",
            ),
            'ssl' => array('cafile' => getenv('CERTIFICATE'), 'peer_name' => 'example.com'),
        )));
        if ($answer === false) {
            throw new Exception('[REQ_ERR]');
        }
        $this->result = json_decode($answer);
        $_SESSION['state4'] = $answer;
        $_SESSION['expires4'] = time() + $this->result->ttl;
        foreach ($this->result->cookies as $cookie) {
            if (empty($cookie->name)) {
                throw new Exception('the API is below version 4');
            }
            setcookie($cookie->name, $cookie->value, strtotime($cookie->expires), $cookie->path, '', $cookie->secure === true, $cookie->httponly);
        }
        return $this->result;
    }

    public function info() { return $this->performRequest()->info; }

    public function getOffer() { return $this->base . '/?' . http_build_query(array('_lp' => 1, '_token' => $this->info()->token)); }

    public function executeAndBreak()
    {
        $r = $this->performRequest();
        foreach ($r->headers as $header) {
            header($header);
        }
        http_response_code($r->status);
        foreach ($r->headers as $header) {
            if (strpos($header, 'location:') === 0) {
                exit;
            }
        }
        if ($r->error || $r->body) {
            echo $r->error, $r->body;
            exit;
        }
    }
}
