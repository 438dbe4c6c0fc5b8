<?php
// The thank-you page reports the conversion itself, with the subid of the session.
require __DIR__ . '/client.php';
$client = new ClickClient(getenv('CLICK_API'), getenv('CAMPAIGN_TOKEN'));
echo file_get_contents(getenv('POSTBACK') . '?' . http_build_query(array('subid' => $client->getSubId(), 'status' => 'sale', 'payout' => 7, 'tid' => '55')),
    false, stream_context_create(array('ssl' => array('cafile' => getenv('CERTIFICATE'), 'peer_name' => 'example.com'))));
